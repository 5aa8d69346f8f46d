"""The least AbacatePay, in this process: it answers at once, so it costs both sides the same."""

import asyncio
from typing import cast
from urllib.parse import parse_qs, urlsplit

import orjson
from typing_extensions import override

TOTAL_CENTS = 7480
"""Of every charge."""

_AT = "2026-11-23T14:03:22.000Z"
_CHARGE = {
    "amount": TOTAL_CENTS,
    "paidAmount": TOTAL_CENTS,
    "status": "PAID",
    "devMode": False,
    "brCode": "00020101021226",
    "createdAt": _AT,
    "updatedAt": _AT,
    "expiresAt": _AT,
    "metadata": {},
}


class Gateway(asyncio.Protocol):
    """The least AbacatePay: every charge that it is asked about was paid."""

    def __init__(self) -> None:
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        # uvloop's are not of asyncio's class.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Answer a question once it is whole."""
        self._buffer += data
        if not self._buffer.endswith(b"\r\n\r\n"):
            return
        target = urlsplit(self._buffer.split(b" ", 2)[1].decode())
        self._buffer = b""
        charge = _CHARGE | {"id": parse_qs(target.query)["id"][0]}
        said = [charge] if target.path.endswith("list") else charge
        body = orjson.dumps({"data": said, "success": True, "error": None})
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d"
        self._transport.write(head % len(body) + b"\r\n\r\n" + body)
