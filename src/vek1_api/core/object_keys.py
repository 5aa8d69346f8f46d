"""Keys of objects in the bucket: what is public, and that nothing else can look like it."""

import re
import secrets
from fnmatch import fnmatchcase
from urllib.parse import quote

from vek1_api.core import clock

PUBLIC_PATTERNS = ("companies/*/products/*", "companies/*/logo/*")
"""What anyone may read; ``*`` crosses slashes in a bucket policy, as it does here."""

_LEAF = re.compile(r"\d{13}-[0-9a-f]{32}\.[a-z0-9]{1,10}")


def private_key(company_id: str, kind: str, extension: str) -> str:
    """Return a new key that only links open; ``kind`` is a word such as ``documents``."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", kind) or kind in {"products", "logo"}:
        message = f"not a kind of private object: {kind!r}"
        raise ValueError(message)
    return f"companies/{_segment(company_id)}/private/{kind}/{_leaf(extension)}"


def proof_key(company_id: str, order_id: object, extension: str) -> str:
    """Return a new key that only links open, for a proof of an order's payment."""
    order = _segment(str(order_id))
    company = _segment(company_id)
    return f"companies/{company}/orders/{order}/proofs/{_leaf(extension)}"


def public_product_key(company_id: str, product_id: object, extension: str) -> str:
    """Return a new key, readable by anyone who knows it, for a product's file."""
    product = _segment(str(product_id))
    return f"companies/{_segment(company_id)}/products/{product}/{_leaf(extension)}"


def logo_key(company_id: str, extension: str) -> str:
    """Return a new key, readable by anyone who knows it, for a company's logo."""
    return f"companies/{_segment(company_id)}/logo/{_leaf(extension)}"


def is_public(key: str) -> bool:
    """Tell whether the bucket's policy lets anyone read ``key``."""
    return any(fnmatchcase(key, pattern) for pattern in PUBLIC_PATTERNS)


def is_ours(key: str) -> bool:
    """Tell whether ``key`` may be one that this module made, by its last step."""
    return _LEAF.fullmatch(key.rpartition("/")[2]) is not None


def _segment(text: str) -> str:
    """Quote one step of a key; ids are opaque and may hold anything."""
    if not text:
        message = "an id in a key must not be empty"
        raise ValueError(message)
    quoted = quote(text, safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _leaf(extension: str) -> str:
    if not re.fullmatch(r"[a-z0-9]{1,10}", extension):
        message = f"not an extension: {extension!r}"
        raise ValueError(message)
    milliseconds = int(clock.now().timestamp() * 1_000)
    return f"{milliseconds}-{secrets.token_hex(16)}.{extension}"
