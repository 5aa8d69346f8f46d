"""Attempts on what is someone else's: noted in the trail of its owner, told to nobody else.

The same statement runs whether the thing exists or not, and it does not wait for the disk, so
the time of the answer does not tell the two apart.
"""

from uuid import UUID

from fastapi import FastAPI, Request, Response

from vek1_api.access.access import Access
from vek1_api.access.dependencies import resources_of
from vek1_api.audit import queries
from vek1_api.core import context, problems
from vek1_api.core.db import Database, driver_of
from vek1_api.core.errors import ForeignReferenceError, NotFoundError, Vek1Error


async def note(
    database: Database, access: Access, kind: str, row_ids: tuple[str, ...]
) -> None:
    """Write ``access.denied`` for each of these rows that another company owns."""
    statement = queries.DENY[kind]
    async with database.transaction() as tx:
        driver = await driver_of(tx)
        await driver.execute("SET LOCAL synchronous_commit = off")
        for row_id in row_ids:
            await statement.rows(
                driver,
                row_id=UUID(row_id),
                actor_company_id=access.company_id,
                actor_user_id=access.actor_user_id,
                action="access.denied",
                target_type=kind,
                target_id=row_id,
                ip=access.ip,
                ua=access.user_agent,
                request_id=context.request_id.get(),
                meta=None,
            )


async def on_out_of_reach(request: Request, error: Exception) -> Response:
    """Note the attempt, then answer like any other error."""
    assert isinstance(error, Vek1Error)
    access: Access | None = getattr(request.state, "access", None)
    if access is not None:
        await _note_if_any(resources_of(request).database, access, error)
    return problems.problem(error)


async def _note_if_any(database: Database, access: Access, error: Vek1Error) -> None:
    match error:
        case NotFoundError(kind=kind, resource_id=str(row_id)) if kind in queries.DENY:
            await note(database, access, kind, (row_id,))
        case ForeignReferenceError(kind=kind, resource_ids=row_ids) if kind in queries.DENY:
            await note(database, access, kind, row_ids)
        case _:
            pass


def install(app: FastAPI) -> None:
    """Note every attempt of the app's callers."""
    app.add_exception_handler(NotFoundError, on_out_of_reach)
    app.add_exception_handler(ForeignReferenceError, on_out_of_reach)
