"""Whether a webhook comes from AbacatePay, and whether its bytes are what was sent."""

import base64
import binascii
import hmac
from collections.abc import Iterable

PUBLIC_KEY = (
    "t9dXRhHHo3yDEj5pVDYz0frf7q6bMKyMRmxxCPIPp3RCplBfXRxqlC6ZpiWmOqj4L63qEaeUOtrCI8P0VMUg"
    "o6iIga2ri9ogaHFs0WIIywSMg0q7RmBfybe1E5XJcfC4IW3alNqym0tXoAKkzvfEjZxV6bE0oG2zJrNNYmUC"
    "KZyV0KZ3JS8Votf9EAWWYdiDkMkpbMdPggfh1EqHlVkMiTady6jOR3hyzGEHrIz2Ret0xHKMbiqkr9HS1JhN"
    "HDX9"
)
"""The key of ``X-Webhook-Signature``, printed in AbacatePay's docs: it is no secret."""


def is_authentic(offered: Iterable[str | None], expected: Iterable[str]) -> bool:
    """Return whether every secret that was sent is a valid one, and at least one was sent.

    ``offered`` is what came in the header ``X-Webhook-Secret`` and as ``?webhookSecret=``;
    ``expected`` are the secrets valid now, several while one is replaced. Blank ones never
    count. The time it takes tells nothing about a secret.
    """
    sent = [_bytes(secret) for secret in offered if secret]
    valid = [_bytes(secret) for secret in expected if secret]
    is_good = bool(sent)
    for secret in sent:
        matches = [hmac.compare_digest(secret, one) for one in valid]
        is_good &= any(matches)
    return is_good


def signature_ok(raw: bytes, header: str | None, public_key: str = PUBLIC_KEY) -> bool:
    """Return whether ``X-Webhook-Signature`` is that of these very bytes.

    It proves that nothing was altered on the way, not who sent it: the key is public.
    """
    try:
        sent = base64.b64decode((header or "").strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return hmac.compare_digest(sent, hmac.digest(public_key.encode(), raw, "sha256"))


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")
