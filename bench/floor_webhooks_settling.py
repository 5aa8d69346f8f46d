"""The floor's settlement of a webhook that is kept: two calls to the gateway, three statements.

The last statement does it all under the order's lock: the attempt paid, the order confirmed, two
events, the audit entry with its trail, the lead's counters by the table's trigger, the webhook
concluded. What the floor leaves out: every end but a payment of the right amount for an order
that waits for it, and trying again.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson

from bench.floor_webhooks_sql import LOAD, MATCH, SETTLE
from vek1_api.core.encryption import Keyring
from vek1_api.payment_settings.secrets import API_KEY, place


class NotSettledError(Exception):
    """The webhook is none of a payment that the floor knows what to do with."""


@dataclass(frozen=True, slots=True)
class Settler:
    """What the floor settles with; ``address`` is the gateway's."""

    pool: asyncpg.Pool
    http: httpx.AsyncClient
    keyring: Keyring
    address: str

    async def settle(self, inbox_id: UUID) -> None:
        """Settle the order that a webhook tells of."""
        async with self.pool.acquire() as connection:
            kept = await connection.fetchrow(LOAD, inbox_id)
            charge_id = orjson.loads(kept["body"])["data"]["transparent"]["id"]
            found = await connection.fetchrow(
                MATCH, charge_id, kept["store_id"], kept["is_dev"]
            )
        key = self.keyring.open(kept["key"], place(API_KEY, kept["store_id"]))
        check = await self._ask("check", key, found["external_id"])
        [charge] = await self._ask("list", key, found["external_id"])
        amounts = {charge["amount"], charge["paidAmount"]}
        if check["status"] != "PAID" or amounts != {found["amount_cents"]}:
            raise NotSettledError
        await self.write(inbox_id, found)

    async def match_and_write(
        self, inbox_id: UUID, charge_id: str, store_id: UUID, *, is_dev: bool
    ) -> None:
        """Settle the order of a charge of which it is known that it was paid."""
        async with self.pool.acquire() as connection:
            found = await connection.fetchrow(MATCH, charge_id, store_id, is_dev)
        await self.write(inbox_id, found)

    async def write(self, inbox_id: UUID, found: Any) -> None:
        """Write that the attempt paid its order."""
        async with self.pool.acquire() as connection:
            done = await connection.execute(
                SETTLE,
                found["order_id"],
                found["company_id"],
                found["amount_cents"],
                found["attempt_id"],
                inbox_id,
            )
        if done != "UPDATE 1":
            raise NotSettledError

    async def _ask(self, what: str, key: str, charge_id: str) -> Any:
        answer = await self.http.get(
            f"{self.address}/v2/transparents/{what}",
            params={"id": charge_id, "limit": "1"} if what == "list" else {"id": charge_id},
            headers={"authorization": f"Bearer {key}"},
        )
        return orjson.loads(answer.content)["data"]
