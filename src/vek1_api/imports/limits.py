"""How much one import may be."""

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 50_000
ANSWERED_ROWS = 1_000
"""Up to so many rows are imported by the request itself; more are a job's work."""

BATCH_ROWS = 1_000
"""Rows of one transaction of the job."""

PORTION_CHARS = 1_000_000
"""Text of the rows that are applied at a time, so that no statement takes too long."""
