"""What a bucket's policy must say, and in which words a store may say it."""

import json
from itertools import product
from typing import Any

from vek1_api.core.object_keys import PUBLIC_PATTERNS


def wanted_policy(bucket: str) -> dict[str, Any]:
    """Return the policy that lets anyone read the public prefixes, and nothing else."""
    resources = [f"arn:aws:s3:::{bucket}/{pattern}" for pattern in PUBLIC_PATTERNS]
    who, what = {"AWS": ["*"]}, ["s3:GetObject"]
    grant = {"Effect": "Allow", "Principal": who, "Action": what, "Resource": resources}
    return {"Version": "2012-10-17", "Statement": [grant]}


def grants(policy: dict[str, Any]) -> set[str]:
    """Spell a policy out, one line per grant: stores order and fold its lists freely."""
    lines: set[str] = set()
    for statement in policy.get("Statement", ()):
        rest = {name: value for name, value in statement.items() if name != "Sid"}
        effect, principal = rest.pop("Effect", ""), rest.pop("Principal", "*")
        who = principal.get("AWS", ()) if isinstance(principal, dict) else principal
        what, where = rest.pop("Action", ()), rest.pop("Resource", ())
        condition = f" if {json.dumps(rest, sort_keys=True)}" if any(rest.values()) else ""
        each = product(_listed(who), _listed(what), _listed(where))
        lines |= {f"{effect} {' '.join(one)}{condition}" for one in each}
    return lines


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
