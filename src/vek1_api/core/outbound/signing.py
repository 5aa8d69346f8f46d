"""Standard Webhooks: who sent a message, and that it is what was sent."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"


def signed_headers(
    message_id: str, at: datetime, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """Return the headers of a message: a signature for each secret, the newest first.

    ``message_id`` is the same on every retry; ``at`` is the moment of this attempt.
    """
    text = body.decode()
    # ``sign`` takes the clock's face and calls it UTC, whatever the zone.
    moment = at.astimezone(UTC)
    signatures = [
        Webhook(key_of(secret)).sign(message_id, moment, text) for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def key_of(secret: str) -> bytes:
    """Return the bytes that a secret stands for.

    One that is not ``whsec_`` and base64 was made by somebody else, and is itself the key.
    """
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
