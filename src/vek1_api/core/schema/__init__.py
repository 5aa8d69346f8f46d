"""What the database must have: revisions, indexes, triggers, functions; compare and heal.

The front end's ``drizzle-kit push --force`` drops indexes that it does not know. So the
service compares (``missing``, cheap enough for a readiness check), heals (``heal``, by the
worker, ``scripts/recreate_indexes.py`` and ``vek1-api doctor --fix``) and examines
(``doctor_findings``). All take asyncpg connections that are not inside a transaction.
"""

from vek1_api.core.schema.compare import missing
from vek1_api.core.schema.doctor import doctor_findings
from vek1_api.core.schema.findings import Finding, Problem
from vek1_api.core.schema.healing import heal
from vek1_api.core.schema.indexes import REQUIRED_INDEXES, RequiredIndex
from vek1_api.core.schema.migration import connect, heal_database, in_transaction, migrate

__all__ = [
    "REQUIRED_INDEXES",
    "Finding",
    "Problem",
    "RequiredIndex",
    "connect",
    "doctor_findings",
    "heal",
    "heal_database",
    "in_transaction",
    "migrate",
    "missing",
]
