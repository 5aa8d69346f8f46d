"""The ledger: every change of a stock has its movement.

Here, in the import, in orders and in what ERPs send, stock changes by ``vek1_api.move_stock``
(``init/01-init.sql``) and in no other way: a trigger refuses everybody else. A new product's
first stock has its movement by a trigger too.
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
    """Change a product's stock by ``delta`` units, not 0, and return what is left.

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
    if row is None or not row["is_moved"]:
        raise InsufficientStockError(product_id)
    return int(row["after"])
