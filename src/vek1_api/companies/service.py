"""Making and changing a company; its logo."""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access, reported
from vek1_api.audit import service as audit_service
from vek1_api.companies import queries
from vek1_api.companies.errors import CompanyNotFoundError, SlugTakenError
from vek1_api.companies.schemas import CompanyEnsure, CompanyUpdate
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.representation import Json
from vek1_api.core.slugs import candidates, slug_of


def signing_up(access: Access, wanted: CompanyEnsure) -> Access:
    """Return the access of the person whom the front end signs up."""
    return reported(access, wanted.user_id, access.ip, access.user_agent)


async def ensure(
    tx: AsyncConnection, access: Access, wanted: CompanyEnsure, *, bucket_name: str
) -> Answer:
    """Return the user's company, making it the first time; two at once make one.

    Raises ``SlugTakenError`` only for a slug that the caller chose.
    """
    await queries.lock_id(tx, wanted.user_id)
    known = await queries.get(tx, wanted.user_id)
    if known is not None:
        return Answer(200, known)
    choice = (
        [wanted.slug] if wanted.slug else candidates(slug_of(wanted.name, fallback="loja"))
    )
    body = await _add(tx, wanted, choice, bucket_name)
    await audit_service.log_audit(tx, access, "company.created", "company", wanted.user_id)
    return Answer(201, body)


async def get(database: Database, access: Access) -> Json:
    """Return the actor's own company, or raise ``CompanyNotFoundError``."""
    async with database.driver() as driver:
        row = await queries.GET.row(driver, company_id=access.company_id)
    if row is None:
        raise CompanyNotFoundError
    return str(row["body"])


async def settings(tx: AsyncConnection, access: Access) -> dict[str, Any]:
    """Return the actor's company's own settings; none for a company that is gone."""
    body = await queries.get(tx, access.company_id)
    return {} if body is None else orjson.loads(body)["settings"] or {}


async def update(
    tx: AsyncConnection, access: Access, wanted: CompanyUpdate, *, if_match: IfMatch
) -> Answer:
    """Change the fields that the caller sent."""
    before = await lock(tx, access)
    if_match.check(before)
    values = audit_service.differing(orjson.loads(before), wanted.changes())
    if "slug" in values:
        await _claim(tx, access.company_id, values["slug"])
    return Answer(200, await _change(tx, access, before, values))


async def lock(tx: AsyncConnection, access: Access) -> Json:
    """Return the actor's company, which stays as it is until the transaction ends."""
    await queries.lock_id(tx, access.company_id)
    body = await queries.get(tx, access.company_id)
    if body is None:
        raise CompanyNotFoundError
    return body


async def _change(
    tx: AsyncConnection, access: Access, before: Json, values: dict[str, Any]
) -> Json:
    if not values:
        return before
    after = await queries.change(tx, access.company_id, values)
    meta = audit_service.changed(orjson.loads(before), values)
    await audit_service.log_audit(
        tx, access, "company.updated", "company", access.company_id, meta=meta
    )
    return after


async def _add(
    tx: AsyncConnection, wanted: CompanyEnsure, choice: Iterable[str], bucket_name: str
) -> Json:
    for slug in choice:
        if await queries.claim_slug(tx, wanted.user_id, slug):
            body = await queries.add(
                tx, id=wanted.user_id, name=wanted.name, slug=slug, bucket_name=bucket_name
            )
            if body is not None:
                await queries.free_other_slugs(tx, wanted.user_id, slug)
                return body
    raise SlugTakenError(slug)


async def _claim(tx: AsyncConnection, company_id: str, slug: str) -> None:
    if not await queries.claim_slug(tx, company_id, slug):
        raise SlugTakenError(slug)
    await queries.free_other_slugs(tx, company_id, slug)
