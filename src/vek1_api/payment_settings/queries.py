"""The statements of payment settings."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    Uuid,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.access.grants import STORES, my_stores
from vek1_api.core.hot import HotStatement
from vek1_api.payment_settings.models import PaymentSettings, StorePayment
from vek1_api.payment_settings.stored import COLUMNS, Stored

_STORE_ID = bindparam("store_id", type_=Uuid)
_MOMENTS = ("created_at", "updated_at")


def _column(name: str) -> Any:
    if name == "store_id":
        return STORES.c.id.label(name)
    if name in _MOMENTS:
        return func.timezone("UTC", getattr(PaymentSettings, name)).label(name)
    owner = StorePayment if hasattr(StorePayment, name) else PaymentSettings
    return getattr(owner, name)


def _settings() -> Select[Any]:
    """Select the settings of stores, which may have a row of each table or none."""
    return (
        select(*map(_column, COLUMNS))
        .select_from(STORES)
        .outerjoin(PaymentSettings, PaymentSettings.store_id == STORES.c.id)
        .outerjoin(StorePayment, StorePayment.store_id == STORES.c.id)
    )


GET = HotStatement(_settings().where(STORES.c.id.in_(my_stores(_STORE_ID))))
"""The settings of a store within reach."""

OF_STORE = HotStatement(_settings().where(STORES.c.id == _STORE_ID))
"""The settings of any store, a closed one too: it may still be paid."""

OF_OPEN_STORE = HotStatement(
    _settings().where(STORES.c.id == _STORE_ID, STORES.c.status != "deleted")
)
"""The settings of a store that is not closed."""


async def lock(tx: AsyncConnection, access: Access, store_id: UUID) -> bool:
    """Keep others from changing a store's settings; return whether it is within reach.

    Our own row, made when it is first needed, is the lock: it has a key that nobody drops.
    """
    store = my_stores(store_id)
    await tx.execute(
        upsert(StorePayment).from_select(["store_id"], store).on_conflict_do_nothing(),
        access.owner,
    )
    ours = select(StorePayment.store_id).where(StorePayment.store_id.in_(store))
    if await tx.scalar(ours.with_for_update(), access.owner) is None:
        return False
    theirs = select(PaymentSettings.id).where(PaymentSettings.store_id == store_id)
    await tx.execute(theirs.with_for_update())
    return True


async def change(tx: AsyncConnection, store_id: UUID, values: dict[str, Any]) -> None:
    """Change the settings of a store that is locked; each value in the table that has it.

    The front end's row is made if there is none, and touched in any case: its trigger notes
    when the settings were changed.
    """
    missing = select(literal(store_id, Uuid)).where(
        ~exists().where(PaymentSettings.store_id == store_id)
    )
    await tx.execute(
        upsert(PaymentSettings).from_select(["store_id"], missing).on_conflict_do_nothing()
    )
    for table in (StorePayment, PaymentSettings):
        own = {name: value for name, value in values.items() if hasattr(table, name)}
        own["store_id"] = store_id
        await tx.execute(update(table).where(table.store_id == store_id).values(own))


async def note_webhook(
    tx: AsyncConnection, store_id: UUID, *, is_registered: bool, error: str | None
) -> None:
    """Write whether AbacatePay knows where its webhooks go."""
    at = func.now() if is_registered else None
    statement = update(StorePayment).where(StorePayment.store_id == store_id)
    await tx.execute(statement.values(webhook_registered_at=at, webhook_error=error))


async def with_secrets(
    connection: AsyncConnection, after: UUID | None, limit: int
) -> Sequence[Stored]:
    """Return stores that hold a secret, in the order of their ids, behind ``after``."""
    has_secret = or_(
        PaymentSettings.abacate_pay_api_key.is_not(None),
        PaymentSettings.abacate_pay_webhook_secret.is_not(None),
        func.jsonb_array_length(StorePayment.previous_webhook_secrets) > 0,
    )
    statement = _settings().where(has_secret).order_by(STORES.c.id).limit(limit)
    if after is not None:
        statement = statement.where(STORES.c.id > after)
    rows = (await connection.execute(statement)).mappings()
    return [Stored.of(row) for row in rows]


async def replace_secret(
    connection: AsyncConnection, store_id: UUID, name: str, old: Any, new: Any
) -> None:
    """Put a secret in the place of another, unless it has changed meanwhile."""
    table = StorePayment if hasattr(StorePayment, name) else PaymentSettings
    column = getattr(table, name)
    await connection.execute(
        update(table).where(table.store_id == store_id, column == old).values({name: new})
    )
