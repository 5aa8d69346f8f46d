"""Proofs that a request comes from a store's ERP: a Standard Webhooks signature, or the secret.

A guess takes as long whether it is near or far, and whether there is a secret at all.
"""

import base64
import os
from collections.abc import Mapping, Sequence

from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from vek1_api.access.credentials import is_one_of

SIGNATURE = "webhook-signature"
MESSAGE_ID = "webhook-id"

_AT_ONCE = 2
"""As many secrets as are valid while they are rotated; that many are always tried."""
_NOBODYS = "whsec_" + base64.b64encode(os.urandom(32)).decode()


def is_signed(headers: Mapping[str, str]) -> bool:
    """Return whether the request claims to be signed."""
    return SIGNATURE in headers


def is_proven(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Return whether one of the secrets signed the request, or was sent with it.

    What claims to be signed must be; the secret beside it does not help.
    """
    padded = [*secrets, *[_NOBODYS] * (_AT_ONCE - len(secrets))]
    if is_signed(headers):
        fits = [_signed(headers, body, secret) for secret in padded]
        return any(fits[: len(secrets)])
    scheme, _, offered = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    is_known = is_one_of(offered.strip(), [SecretStr(secret) for secret in padded])
    return is_known and bool(secrets)


def _signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):
        # Malformed base64, a signature without its version, a body that is not UTF-8: the
        # library lets Python's own errors through, all of them kinds of ValueError.
        return False
    return True
