"""The only way to a store's rows: statements that reach no further than the caller's company.

Each statement made here demands the parameter ``owner_company_id`` when it runs; leaving it
out is an error of SQLAlchemy's, not a leak. A soft-deleted store is out of reach, and all that
is below it.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    Delete,
    ForeignKey,
    Select,
    Text,
    Update,
    Uuid,
    and_,
    bindparam,
    column,
    delete,
    func,
    select,
    table,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from vek1_api.access.access import Access
from vek1_api.core.db import Base, Driver
from vek1_api.core.errors import ForeignReferenceError, NotFoundError
from vek1_api.core.hot import HotStatement

OWNER = bindparam("owner_company_id", type_=Text)

STORES = table(
    "stores", column("id", Uuid), column("company_id", Text), column("status", Text)
)
"""As much of the stores as ownership needs; the table itself belongs to ``stores``."""

_REACHABLE = and_(STORES.c.company_id == OWNER, STORES.c.status != "deleted")
_MY_STORES = select(STORES.c.id).where(_REACHABLE)


class OfStore(Base):
    """A table whose rows belong to a store."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=func.gen_random_uuid()
    )
    store_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("stores.id"))


def scoped(model: type[OfStore], *columns: Any) -> Select[Any]:
    """Select columns of a store's rows, within reach."""
    return (
        select(*columns)
        .select_from(model)
        .join(STORES, STORES.c.id == model.store_id)
        .where(_REACHABLE)
    )


def scoped_update(model: type[OfStore]) -> Update:
    """Update a store's rows, within reach."""
    return update(model).where(model.store_id.in_(_MY_STORES))


def scoped_delete(model: type[OfStore]) -> Delete:
    """Delete a store's rows, within reach."""
    return delete(model).where(model.store_id.in_(_MY_STORES))


def my_stores(store_id: Any) -> Select[Any]:
    """Select the id of a store if it is within reach, for a statement that needs no more."""
    return _MY_STORES.where(STORES.c.id == store_id)


_OWNS_STORE = HotStatement(my_stores(bindparam("store_id", type_=Uuid)))


async def assert_owns_store(driver: Driver, access: Access, store_id: UUID) -> None:
    """Raise ``NotFoundError`` unless the store is the caller's company's, and not deleted."""
    if await _OWNS_STORE.row(driver, store_id=store_id, **access.owner) is None:
        kind = "store"
        raise NotFoundError(kind, store_id)


async def assert_in_store(
    tx: AsyncConnection,
    access: Access,
    model: type[OfStore],
    *,
    store_id: UUID,
    pointers: dict[str, UUID],
    kind: str,
) -> None:
    """Raise ``ForeignReferenceError`` unless every id names a row of this store.

    ``pointers`` maps the JSON pointer of each id in the request to the id.
    """
    wanted = set(pointers.values())
    statement = scoped(model, model.id).where(
        model.store_id == store_id, model.id.in_(wanted)
    )
    found = set(await tx.scalars(statement, access.owner)) if wanted else set()
    foreign = {pointer: str(row) for pointer, row in pointers.items() if row not in found}
    if foreign:
        raise ForeignReferenceError(kind, foreign)
