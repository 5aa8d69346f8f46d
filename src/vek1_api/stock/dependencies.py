"""The edge where a store's ERP gets its access."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from vek1_api.access import access as accesses
from vek1_api.access.dependencies import (
    Reading,
    Work,
    Writing,
    refuse_unknown_query,
    resources_of,
)
from vek1_api.core.answers import Answer
from vek1_api.core.errors import PayloadTooLargeError, UnauthenticatedError
from vek1_api.core.idempotency import Claim, checked_key, fingerprint
from vek1_api.stock import secrets, signatures

MAX_BODY_BYTES = 2 * 1024 * 1024
"""A thousand items with the longest ids; what strangers send is digested before it is refused."""

_MAX_AGENT_CHARS = 512
_KEY = "idempotency-key"


@dataclass(frozen=True, slots=True)
class ErpWriting(Writing):
    """A request of an ERP that changes something."""

    store_id: UUID

    @override
    async def __call__(
        self,
        work: Work,
        *,
        digest: bytes | None = None,
        settles_in: timedelta | None = None,
    ) -> Response:
        """Do the work once for its ``Idempotency-Key``, and once for its ``webhook-id``.

        The id is signed and the key is not: under another key, it is still that message.
        """
        message = await self._message(digest) if _KEY in self.request.headers else None

        async def once(tx: AsyncConnection) -> Answer:
            if message is None:
                return await work(tx)
            if known := await message.replay(tx):
                return Answer(known.status, known.body.decode(), has_etag=False)
            answer = await work(tx)
            await message.record(tx, answer.recorded())
            return answer

        return await Writing.__call__(self, once, digest=digest, settles_in=settles_in)

    @override
    async def claim(self, digest: bytes | None = None) -> Claim | None:
        """Return the claim on the request's key.

        Keys are the store's own. A signed request without an ``Idempotency-Key`` has one all
        the same: its ``webhook-id`` is that of every attempt (Standard Webhooks).
        """
        key = self.request.headers.get(_KEY)
        if key is None:
            return await self._message(digest)
        return await self._claim(f"erp:{self.store_id}", key, digest)

    async def _message(self, digest: bytes | None) -> Claim | None:
        headers = self.request.headers
        message_id = headers.get(signatures.MESSAGE_ID)
        if message_id is None or not signatures.is_signed(headers):
            return None
        return await self._claim(f"erp:{self.store_id}:message", message_id, digest)

    async def _claim(self, actor: str, key: str, digest: bytes | None) -> Claim | None:
        valid = checked_key(key)
        assert valid is not None
        url = self.request.url
        body = await self.request.body() if digest is None else digest
        what = fingerprint(url.path.encode(), url.query.encode(), body)
        return Claim(actor, valid, what)


async def _access(request: Request, store_id: UUID) -> accesses.Access:
    resources = resources_of(request)
    async with resources.database.driver() as driver:
        company_id, valid = await secrets.inbound_secrets(
            driver, store_id, resources.keyring
        )
    body = await request.body()
    if len(body) > MAX_BODY_BYTES:
        message = "The body is too large."
        raise PayloadTooLargeError(message)
    if not signatures.is_proven(request.headers, body, valid):
        # The same whether the store, its secret, or the signature is not there.
        message = "Sign with the store's inbound secret, or send it as a bearer token."
        raise UnauthenticatedError(message)
    refuse_unknown_query(request)
    ip = request.client.host if request.client else None
    agent = request.headers.get("user-agent")
    access = accesses.erp(company_id, ip, agent[:_MAX_AGENT_CHARS] if agent else None)
    request.state.access = access
    return access


async def _erp_reading(request: Request, store_id: UUID) -> Reading:
    access = await _access(request, store_id)
    return Reading(request, access, resources_of(request))


async def _erp_writing(request: Request, store_id: UUID) -> ErpWriting:
    access = await _access(request, store_id)
    return ErpWriting(request, access, resources_of(request), store_id)


ErpRead = Annotated[Reading, Depends(_erp_reading)]
ErpWrite = Annotated[ErpWriting, Depends(_erp_writing)]
