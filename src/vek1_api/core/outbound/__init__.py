"""Signed messages to other people's servers, which may be anything and anywhere.

* ``targets``: which addresses we talk to at all (the guard against SSRF).
* ``posting``: one POST, with a bounded answer, in bounded time, to an address that was checked.
* ``signing``: the headers of Standard Webhooks.
* ``retrying``: when to try again.
"""

from vek1_api.core.outbound.posting import Outcome, Poster
from vek1_api.core.outbound.retrying import next_attempt
from vek1_api.core.outbound.signing import signed_headers
from vek1_api.core.outbound.targets import Resolve, TargetRefusedError, checked_url

__all__ = [
    "Outcome",
    "Poster",
    "Resolve",
    "TargetRefusedError",
    "checked_url",
    "next_attempt",
    "signed_headers",
]
