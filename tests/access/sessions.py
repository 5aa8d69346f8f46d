"""Better Auth's rows and cookies, as the front end makes them."""

import base64
import hmac
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import uuid4

from tests.people import SERVICE_TOKEN
from vek1_api.core import clock
from vek1_api.core.db import Driver

SECRET = f"better-auth-{SERVICE_TOKEN}"


async def sign_in(
    db: Driver, user_id: str, *, lasts: timedelta = timedelta(hours=1)
) -> str:
    """Return the token of a new session of a user, who is made if needed."""
    token = uuid4().hex
    await db.execute(
        'INSERT INTO "user" (id, name, email) VALUES ($1, $1, $1) ON CONFLICT DO NOTHING',
        user_id,
    )
    await db.execute(
        "INSERT INTO session (id, token, user_id, expires_at, updated_at)"
        " VALUES ($1, $1, $2, $3, $4)",
        token,
        user_id,
        _stored(clock.now() + lasts),
        _stored(clock.now()),
    )
    return token


def signed(token: str, secret: str = SECRET) -> str:
    """Return the value of the cookie for a session's token."""
    signature = base64.b64encode(hmac.digest(secret.encode(), token.encode(), "sha256"))
    return quote(f"{token}.{signature.decode()}", safe="")


def _stored(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
