"""The picture of an order's PIX code."""

from collections.abc import Callable
from uuid import UUID

import orjson
from anyio import to_thread

from vek1_api.access.access import Access
from vek1_api.core.db import Database
from vek1_api.orders import service as orders
from vek1_api.payments.errors import NoCodeError
from vek1_api.pix import qr

PNG = "image/png"
SVG = "image/svg+xml"


async def code_of(database: Database, access: Access, order_id: UUID) -> tuple[str, int]:
    """Return the code that the customer is asked to pay, and the order's number."""
    order = orjson.loads(await orders.get(database, access, order_id, ""))
    code = order["payment"] and order["payment"]["br_code"]
    if not code:
        raise NoCodeError(order_id)
    return code, order["number"]


async def drawn(media_type: str, code: str, number: int) -> bytes:
    """Return the code as a picture; drawing takes milliseconds, so not on the event loop."""
    draw: dict[str, Callable[[], bytes]] = {
        PNG: lambda: qr.png(code),
        SVG: lambda: qr.svg(code, f"PIX do pedido {number}"),
    }
    return await to_thread.run_sync(draw[media_type])


async def address_of(code: str | None) -> str | None:
    """Return the PNG as an address that holds it, for the front end's column."""
    if code is None:
        return None
    return await to_thread.run_sync(qr.png_data_uri, code)
