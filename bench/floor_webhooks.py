"""The floor's intake of AbacatePay's webhooks.

Two statements: the store's sealed secrets are read and opened, and the webhook is kept with its
job. Between them the secret is compared, the signature checked, and what is secret or personal
taken out, as the service does it. What the floor leaves out: a second secret in one request,
bodies that are no JSON, too large or without an id, and proxies' headers that repeat the secret.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import asyncpg
import orjson

from bench.floor_webhooks_sql import RECEIVE, SECRETS
from vek1_api.abacatepay import redacted, signature_ok
from vek1_api.core import clock
from vek1_api.core.encryption import Keyring
from vek1_api.payment_settings.secrets import PREVIOUS, WEBHOOK_SECRET, place, still_valid

Found = tuple[int, bytes]
Headers = dict[bytes, bytes]

REFUSED = 401, b'{"code":"unauthenticated"}'
RECEIVED = 200, b'{"received":true}'
_PRIVATE = frozenset((b"x-webhook-secret", b"authorization", b"cookie"))


async def answer(
    pool: asyncpg.Pool,
    keyring: Keyring,
    scope: dict[str, Any],
    headers: Headers,
    receive: Callable[[], Awaitable[dict[str, Any]]],
) -> Found:
    """Keep a webhook that proves itself."""
    store_id = UUID(scope["path"].rpartition("/")[2])
    async with pool.acquire() as connection:
        row = await connection.fetchrow(SECRETS, store_id)
    if row is None or not row["secret"]:
        return REFUSED
    valid = _opened(keyring, store_id, row)
    offered = (
        headers.get(b"x-webhook-secret"),
        *parse_qs(scope["query_string"]).get(b"webhookSecret", ()),
    )
    if not all(_is_one_of(each, valid) for each in offered if each is not None):
        return REFUSED
    sent = (await receive())["body"]
    if not signature_ok(sent, headers[b"x-webhook-signature"].decode()):
        return REFUSED
    event_key = orjson.loads(sent)["id"]
    body = redacted(sent, valid)
    shown = orjson.dumps(
        {
            name.decode(): "[redacted]" if name in _PRIVATE else value.decode()
            for name, value in headers.items()
        }
    ).decode()
    async with pool.acquire() as connection:
        await connection.fetchrow(RECEIVE, store_id, event_key, shown, body, str(uuid4()))
    return RECEIVED


def _opened(keyring: Keyring, store_id: UUID, row: Any) -> list[str]:
    """Return the secret, and those that were replaced and are still taken."""
    replaced = still_valid(orjson.loads(row["previous"]), clock.now())
    return [
        keyring.open(row["secret"], place(WEBHOOK_SECRET, store_id)),
        *(keyring.open(each["sealed"], place(PREVIOUS, store_id)) for each in replaced),
    ]


def _is_one_of(offered: bytes, valid: list[str]) -> bool:
    matches = [hmac.compare_digest(offered, each.encode()) for each in valid]
    return any(matches)
