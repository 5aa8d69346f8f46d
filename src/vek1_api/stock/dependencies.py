"""The edge where a store's ERP gets its access."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from typing_extensions import override

from vek1_api.access import access as accesses
from vek1_api.access.dependencies import (
    Reading,
    Writing,
    refuse_unknown_query,
    resources_of,
)
from vek1_api.core.errors import PayloadTooLargeError, UnauthenticatedError
from vek1_api.core.idempotency import Claim, checked_key, fingerprint
from vek1_api.stock import secrets, signatures

MAX_BODY_BYTES = 2 * 1024 * 1024
"""A thousand items with the longest ids; what strangers send is digested before it is refused."""

_MAX_AGENT_CHARS = 512


@dataclass(frozen=True, slots=True)
class ErpWriting(Writing):
    """A request of an ERP that changes something."""

    store_id: UUID

    @override
    async def claim(self, digest: bytes | None = None) -> Claim | None:
        """Return the claim on the request's key.

        Keys are the store's own. A signed request without an ``Idempotency-Key`` has one all
        the same: its ``webhook-id`` is that of every attempt (Standard Webhooks).
        """
        headers = self.request.headers
        actor, key = f"erp:{self.store_id}", checked_key(headers.get("idempotency-key"))
        if key is None and signatures.is_signed(headers):
            actor += ":message"
            key = checked_key(headers.get(signatures.MESSAGE_ID))
        if key is None:
            return None
        url = self.request.url
        body = await self.request.body() if digest is None else digest
        what = fingerprint(url.path.encode(), url.query.encode(), body)
        return Claim(actor, key, what)


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
