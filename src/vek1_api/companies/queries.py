"""The statements of companies."""

from typing import Any

from sqlalchemy import Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.companies.models import Company, CompanySlug
from vek1_api.companies.schemas import CompanyRead
from vek1_api.core.hot import HotStatement
from vek1_api.core.representation import Json, row_object

COMPANY = row_object(Company, CompanyRead)

GET = HotStatement(select(COMPANY).where(Company.id == bindparam("company_id", type_=Text)))


async def lock_id(tx: AsyncConnection, company_id: str) -> None:
    """Let only one transaction at a time make or change this company."""
    key = func.hashtextextended(f"company\n{company_id}", 0)
    await tx.execute(select(func.pg_advisory_xact_lock(key)))


async def get(tx: AsyncConnection, company_id: str) -> Json | None:
    """Return the company as JSON."""
    body: Json | None = await tx.scalar(select(COMPANY).where(Company.id == company_id))
    return body


async def claim_slug(tx: AsyncConnection, company_id: str, slug: str) -> bool:
    """Take a slug for the company if it is free or its own; waits for whoever is taking it.

    One that the front end wrote itself into another company's row is not free either.
    """
    elsewhere = select(Company.id).where(Company.slug == slug, Company.id != company_id)
    if await tx.scalar(elsewhere) is not None:
        return False
    statement = insert(CompanySlug).values(slug=slug, company_id=company_id)
    await tx.execute(statement.on_conflict_do_nothing())
    owner = select(CompanySlug.company_id).where(CompanySlug.slug == slug)
    return await tx.scalar(owner) == company_id


async def free_other_slugs(tx: AsyncConnection, company_id: str, slug: str) -> None:
    """Give back the slugs that the company no longer uses."""
    await tx.execute(
        delete(CompanySlug).where(
            CompanySlug.company_id == company_id, CompanySlug.slug != slug
        )
    )


async def add(tx: AsyncConnection, **values: Any) -> Json | None:
    """Add a company; none if its slug is in ``public`` already."""
    statement = insert(Company).values(**values).on_conflict_do_nothing().returning(COMPANY)
    body: Json | None = await tx.scalar(statement)
    return body


async def change(tx: AsyncConnection, company_id: str, values: dict[str, Any]) -> Json:
    """Change the company and return it."""
    statement = update(Company).where(Company.id == company_id).values(**values)
    return str(await tx.scalar(statement.returning(COMPANY)))


async def logo_url(tx: AsyncConnection, company_id: str) -> str | None:
    """Return where the company's logo lies."""
    url: str | None = await tx.scalar(
        select(Company.logo_url).where(Company.id == company_id)
    )
    return url
