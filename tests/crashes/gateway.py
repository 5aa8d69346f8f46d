"""The fake AbacatePay, which can keep one shop's call standing for as long as it takes."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

from tests.fakes.abacatepay import AbacatePayServer
from tests.fakes.abacatepay_shapes import Store
from tests.fakes.abacatepay_state import OPERATIONS


@dataclass
class Gate:
    """Where a call stands: before anything happens, or before the answer leaves."""

    is_before: bool
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_through(self) -> None:
        """Stand until it is opened, if ever."""
        self.reached.set()
        await self.opened.wait()


class Gateway(AbacatePayServer):
    """``gateway.before(shop, "create")`` returns the gate of that shop's next such call."""

    def __init__(self) -> None:
        super().__init__()
        self._gates: dict[tuple[str, str], Gate] = {}
        self._cuts: set[tuple[str, str]] = set()

    def before(self, shop: Store, operation: str) -> Gate:
        """Let a call stand before anything has happened there."""
        return self._gates.setdefault((shop.prod_key, operation), Gate(is_before=True))

    def after(self, shop: Store, operation: str) -> Gate:
        """Let a call stand when everything has happened, and the answer is to leave."""
        return self._gates.setdefault((shop.prod_key, operation), Gate(is_before=False))

    def cut(self, shop: Store, operation: str) -> None:
        """Let everything happen at a call, and its answer be lost."""
        self._cuts.add((shop.prod_key, operation))

    @override
    async def _answer(
        self, method: str, target: str, headers: dict[str, str], raw: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        path = urlsplit(target).path.removeprefix("/v2/")
        known: Any = OPERATIONS.get((method, path))
        key = headers.get("authorization", "").removeprefix("Bearer ")
        call = key, known[0] if known else ""
        gate = self._gates.pop(call, None)
        if gate is not None and gate.is_before:
            await gate.pass_through()
        answer = await super()._answer(method, target, headers, raw)
        if gate is not None and not gate.is_before:
            await gate.pass_through()
        if call in self._cuts:
            self._cuts.remove(call)
            return None
        return answer
