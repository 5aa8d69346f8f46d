"""Proofs of who calls: service tokens, Better Auth sessions, the ops token.

Every comparison of a secret takes the same time whatever the guess, and looks at every valid
secret whichever one fits.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from urllib.parse import unquote

from pydantic import SecretStr
from sqlalchemy import DateTime, Text, bindparam, column, func, select, table

from vek1_api.core.db import Driver
from vek1_api.core.hot import HotStatement

COOKIES = ("__Secure-better-auth.session_token", "better-auth.session_token")

_SESSIONS = table(
    "session",
    column("token", Text),
    column("user_id", Text),
    column("expires_at", DateTime),
)
_SESSION_USER = HotStatement(
    select(_SESSIONS.c.user_id).where(
        _SESSIONS.c.token == bindparam("token", type_=Text),
        _SESSIONS.c.expires_at > func.timezone("UTC", func.now()),
    )
)


def is_one_of(offered: str, secrets: Iterable[SecretStr]) -> bool:
    """Return whether ``offered`` is one of the valid secrets, in constant time."""
    data = offered.encode()
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(data, secret.get_secret_value().encode())
    return found


async def user_of_session(driver: Driver, token: str) -> str | None:
    """Return the user of a Better Auth session that has not expired."""
    row = await _SESSION_USER.row(driver, token=token)
    return None if row is None else str(row["user_id"])


def token_of_cookie(value: str, secret: SecretStr) -> str | None:
    """Return the session token of Better Auth's signed cookie, or none if the signature is off.

    The cookie is URL-encoded ``token.signature``; the signature is the base64 of
    HMAC-SHA256 (decisions, "Who owns what", 8).
    """
    token, dot, signature = unquote(value).rpartition(".")
    if not dot:
        return None
    expected = hmac.digest(secret.get_secret_value().encode(), token.encode(), "sha256")
    try:
        offered = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return None
    return token if hmac.compare_digest(offered, expected) else None
