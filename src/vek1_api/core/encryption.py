"""Secrets at rest: AES-256-GCM, the key named by a prefix, several keys valid at once.

A sealed secret is ``v1.<key id>.<nonce and ciphertext, base64url>``. It opens only for the
place that it was sealed for: copied into another store's row, it does not.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

_VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEY_ID_CHARS = 8
_LONG_ENOUGH = 12
"""Of a secret this long, four characters help nobody to guess the rest."""


class SealedForNobodyError(Exception):
    """No key of this process opens the secret, or it was sealed for another place."""


class Keyring:
    """The keys of ``VEK1_ENCRYPTION_KEYS``: the first seals, all of them open."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        """Take the keys as the settings have them, newest first."""
        made = [_derived(key.get_secret_value()) for key in keys]
        self._keys = {_key_id(key): AESGCM(key) for key in made}
        self._newest = _key_id(made[0]) if made else None

    def seal(self, secret: str, place: str) -> str:
        """Return the secret as it may be stored at ``place``, which names column and row.

        Raises ``SealedForNobodyError`` where no key is set.
        """
        if self._newest is None:
            message = "set VEK1_ENCRYPTION_KEYS: there is no key to encrypt secrets with"
            raise SealedForNobodyError(message)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._newest].encrypt(nonce, secret.encode(), place.encode())
        packed = base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")
        return f"{_VERSION}.{self._newest}.{packed}"

    def open(self, sealed: str, place: str) -> str:
        """Return the secret that was sealed for ``place``.

        A text that is not sealed at all is returned as it is: the front end wrote it.
        """
        if not is_sealed(sealed):
            return sealed
        _, key_id, packed = sealed.split(".")
        key = self._keys.get(key_id)
        if key is None:
            message = f"the key {key_id} is not among VEK1_ENCRYPTION_KEYS any more"
            raise SealedForNobodyError(message)
        try:
            data = base64.b64decode(packed + "=" * (-len(packed) % 4), b"-_", validate=True)
            plain = key.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode())
        except (InvalidTag, binascii.Error, ValueError) as error:
            message = "the secret was changed, or sealed for another place"
            raise SealedForNobodyError(message) from error
        return plain.decode()

    def is_current(self, sealed: str) -> bool:
        """Return whether the newest key sealed it; if not, sealing it anew is due."""
        return sealed.startswith(f"{_VERSION}.{self._newest}.")


def is_sealed(text: str) -> bool:
    """Return whether a text is one of ours, and not a secret in the open."""
    version, _, rest = text.partition(".")
    key_id, _, packed = rest.partition(".")
    is_whole = len(key_id) == _KEY_ID_CHARS and "." not in packed and packed != ""
    return version == _VERSION and is_whole


def last_four(secret: str) -> str:
    """Return as much of a secret as may be shown: nothing of one that is short."""
    return secret[-4:] if len(secret) >= _LONG_ENOUGH else ""


def _derived(key: str) -> bytes:
    hkdf = HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"vek1-api secrets at rest")
    return hkdf.derive(key.encode())


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"vek1-api key id" + key).hexdigest()[:_KEY_ID_CHARS]
