"""The ledger: stock changes here and nowhere else, and every change has its movement.

Two more writers are sets of rows in one statement: the trigger that writes the movement of a
new product's first stock, and the import. Everybody else is refused by a trigger.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.core.db import driver_of
from vek1_api.products.errors import InsufficientStockError
from vek1_api.products.ledger_queries import MOVE
from vek1_api.products.status import MovementReason


async def move(
    tx: AsyncConnection,
    access: Access,
    product_id: UUID,
    delta: int,
    *,
    reason: MovementReason,
    payload: dict[str, Any] | None = None,
) -> int:
    """Change a product's stock by ``delta`` units and return what is left.

    One conditional statement, no read before it. Raises ``InsufficientStockError`` if less
    than nothing would be left, and changes nothing.
    """
    row = await MOVE.row(
        await driver_of(tx),
        row_id=product_id,
        delta=delta,
        reason=reason,
        order_id=None,
        external_id=None,
        payload=payload,
        **access.owner,
    )
    if row is None:
        raise InsufficientStockError(product_id)
    return int(row["stock"])
