"""The edge where a request gets its access; the only file of the package that knows HTTP.

A route that reads takes ``Read``, one that writes takes ``Write``, the front end's own hooks
take ``ServiceCall`` and operations ``OpsCall``. Each refuses a request without its credential.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import BaseModel, SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access import credentials
from vek1_api.access.access import Access, Credential
from vek1_api.core.answers import Answer, one, page, respond
from vek1_api.core.db import Database, Driver
from vek1_api.core.errors import (
    ActorRequiredError,
    FieldError,
    ForbiddenError,
    UnauthenticatedError,
    ValidationFailedError,
)
from vek1_api.core.idempotency import Claim, Recorded, checked_key, fingerprint
from vek1_api.core.preconditions import IfMatch
from vek1_api.core.problems import escaped
from vek1_api.core.representation import Json
from vek1_api.core.resources import Resources

ACTOR_HEADER = "X-Actor-User-Id"
MAX_USER_ID_LENGTH = 255


def resources_of(request: Request) -> Resources:
    """Return what the process holds open."""
    resources: Resources = request.app.state.resources
    return resources


async def _actor(request: Request, resources: Resources) -> Access:
    bearer = _bearer(request)
    offered = request.headers.get(ACTOR_HEADER)
    if bearer and credentials.is_one_of(bearer, resources.settings.service_tokens):
        return _access(request, _checked_actor(offered), Credential.SERVICE_TOKEN)
    user_id = await _session_user(request, resources, bearer)
    if user_id is None:
        message = "Send a service token with X-Actor-User-Id, or a session that is valid."
        raise UnauthenticatedError(message)
    if offered is not None and offered != user_id:
        message = "A session acts for its own user only; leave X-Actor-User-Id out."
        raise ForbiddenError(message)
    return _access(request, user_id, Credential.SESSION)


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that changes nothing."""

    request: Request
    access: Access
    resources: Resources

    @property
    def database(self) -> Database:
        """The database of this process."""
        return self.resources.database

    def one(self, body: Json) -> Response:
        """Answer with a single resource and its ``ETag``."""
        return one(self.request, body)

    def page(self, data: bytes) -> Response:
        """Answer with a list."""
        return page(data)


Work = Callable[[AsyncConnection], Awaitable[Answer]]
Statement = Callable[[Driver], Awaitable[Answer | None]]
"""One statement, which is a transaction by itself; none if it had nothing to say."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A request that changes something: one transaction, and the same key has one effect."""

    request: Request
    access: Access
    resources: Resources

    @property
    def if_match(self) -> IfMatch:
        """The versions that the caller is willing to change."""
        return IfMatch(self.request.headers.get("if-match"))

    async def __call__(
        self,
        work: Work,
        *,
        digest: bytes | None = None,
        settles_in: timedelta | None = None,
    ) -> Response:
        """Do the work in one transaction and answer when it has committed.

        ``digest`` stands for the body where the body's bytes differ between equal requests,
        as the boundary of a multipart form does. ``settles_in`` is for an answer that the
        caller amends within that time.
        """
        claim = await self.claim(digest)
        async with self.resources.database.transaction() as tx:
            if claim and (known := await claim.replay(tx)):
                return respond(known, replayed=True)
            answer = (await work(tx)).recorded()
            if claim:
                await claim.record(tx, answer, settles_in)
        return respond(answer)

    async def at_once(self, statement: Statement, work: Work) -> Response:
        """Answer by one statement if that will do and no key is to be kept, else as usual."""
        if "idempotency-key" not in self.request.headers:
            async with self.resources.database.driver() as driver:
                answer = await statement(driver)
            if answer is not None:
                return respond(answer.recorded())
        return await self(work)

    async def claim(self, digest: bytes | None = None) -> Claim | None:
        """Return the claim on the request's ``Idempotency-Key``, if it carries one."""
        key = checked_key(self.request.headers.get("idempotency-key"))
        if key is None or self.request.method != "POST":
            return None
        body = await self.request.body() if digest is None else digest
        url = self.request.url
        what = fingerprint(url.path.encode(), url.query.encode(), body)
        return Claim(self.access.actor_user_id or self.access.company_id, key, what)

    async def replayed(self, claim: Claim | None) -> Recorded | None:
        """Return the answer that the key already has, before work outside the database."""
        if claim is None:
            return None
        async with self.resources.database.transaction() as tx:
            return await claim.replay(tx)


async def _reading(request: Request) -> Reading:
    # One dependency and not two: resolving each costs every request.
    resources = resources_of(request)
    access = await _actor(request, resources)
    refuse_unknown_query(request)
    return Reading(request, access, resources)


async def _writing(request: Request) -> Writing:
    resources = resources_of(request)
    access = await _actor(request, resources)
    refuse_unknown_query(request)
    return Writing(request, access, resources)


async def _service_call(request: Request) -> Writing:
    bearer = _bearer(request)
    if not bearer or not credentials.is_one_of(
        bearer, resources_of(request).settings.service_tokens
    ):
        message = "Send a service token."
        raise UnauthenticatedError(message)
    refuse_unknown_query(request)
    offered = request.headers.get(ACTOR_HEADER)
    actor = _checked_actor(offered) if offered else ""
    access = _access(request, actor, Credential.SERVICE_TOKEN)
    return Writing(request, access, resources_of(request))


async def _ops_call(request: Request) -> Resources:
    bearer = _bearer(request)
    resources = resources_of(request)
    expected = resources.settings.ops_token
    if not bearer or expected is None or not credentials.is_one_of(bearer, [expected]):
        message = "Send the ops token."
        raise UnauthenticatedError(message)
    refuse_unknown_query(request)
    return resources


Read = Annotated[Reading, Depends(_reading)]
Write = Annotated[Writing, Depends(_writing)]
ServiceCall = Annotated[Writing, Depends(_service_call)]
OpsCall = Annotated[Resources, Depends(_ops_call)]


def refuse_unknown_query(request: Request) -> None:
    """Raise if the query has a name that the route does not know: a filter never does nothing."""
    if not request.scope["query_string"]:
        return
    known = _known_query(request)
    errors = [
        FieldError(
            f"/query/{escaped(name)}", "extra_forbidden", "There is no such parameter here."
        )
        for name in request.query_params
        if name not in known
    ]
    if errors:
        message = "The query has parameters that this path does not know."
        raise ValidationFailedError(message, errors=errors)


def _known_query(request: Request) -> set[str]:
    known = set()
    for field in request.scope["route"].dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            known |= {part.alias or name for name, part in kind.model_fields.items()}
        else:
            known.add(field.alias)
    return known


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _checked_actor(offered: str | None) -> str:
    if not offered:
        message = f"The service token acts for somebody: say whom in {ACTOR_HEADER}."
        raise ActorRequiredError(message)
    if len(offered) > MAX_USER_ID_LENGTH or not all("!" <= each <= "~" for each in offered):
        message = f"{ACTOR_HEADER} is not a user id."
        raise ActorRequiredError(message)
    return offered


def _access(request: Request, user_id: str, credential: Credential) -> Access:
    ip = request.client.host if request.client else None
    agent = request.headers.get("user-agent")
    access = Access(
        user_id, user_id or None, credential, ip, agent[:512] if agent else None
    )
    request.state.access = access
    return access


async def _session_user(
    request: Request, resources: Resources, bearer: str | None
) -> str | None:
    token = bearer or _cookie_token(request, resources.settings.better_auth_secret)
    if token is None or "\x00" in token:
        return None
    async with resources.database.driver() as driver:
        return await credentials.user_of_session(driver, token)


def _cookie_token(request: Request, secret: SecretStr | None) -> str | None:
    for name in credentials.COOKIES:
        value = request.cookies.get(name)
        token = credentials.token_of_cookie(value, secret) if value and secret else None
        if token is not None:
            return token
    return None
