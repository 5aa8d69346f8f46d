"""Repairing what drifted apart in spite of all care: objects without rows, rows without objects.

A browser may send bytes after its upload was given up, a bucket may be restored from yesterday,
somebody may delete in it by hand.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from vek1_api.core import clock, jobs
from vek1_api.core.object_keys import is_ours
from vek1_api.core.resources import Resources
from vek1_api.files import queries

PREFIX = "companies/"
STRANDED_AFTER = timedelta(hours=2)
"""Longer than any upload: the row of an object is there before its first byte."""

ROWS_AT_ONCE = 500
MAX_STRANDED = 10_000
"""Removed in one run; what is left goes in the next."""

TOO_MANY_STRANDED = 100
"""So many, and most of the bucket: it is not stranded, it is another database's."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Drift:
    """What a run found: objects that it removed, rows whose objects are lost."""

    removed: int
    lost: int


async def reconcile(resources: Resources) -> Drift:
    """Remove objects that no row knows, and report rows whose object is missing."""
    return Drift(await _remove_stranded(resources), await _report_lost(resources))


async def _remove_stranded(resources: Resources) -> int:
    stranded, known_count = await _stranded(resources)
    if len(stranded) > max(TOO_MANY_STRANDED, known_count):
        log.error("bucket_is_not_ours", unknown=len(stranded), known=known_count)
        return 0
    for key in stranded:
        await resources.bucket.delete(key)
        log.warning("stranded_object_removed", key=key)
    return len(stranded)


async def _stranded(resources: Resources) -> tuple[list[str], int]:
    """Return keys of our making that have no row, and how many objects have one."""
    before = clock.now() - STRANDED_AFTER
    stranded: list[str] = []
    known_count = 0
    async for page in resources.bucket.pages(PREFIX):
        # The front end may keep files of its own here; they have other names.
        keys = [each.key for each in page if is_ours(each.key)]
        async with resources.database.read() as connection:
            known = await queries.known(connection, keys)
        known_count += len(known)
        stranded += [
            each.key
            for each in page
            if each.modified_at < before and is_ours(each.key) and each.key not in known
        ]
        if len(stranded) >= MAX_STRANDED:
            break
    return stranded[:MAX_STRANDED], known_count


async def _report_lost(resources: Resources) -> int:
    """Log each kept row whose object is missing, and let the domains above know by a job."""
    lost_count, last = 0, ""
    while True:
        async with resources.database.read() as connection:
            keys = await queries.kept_after(connection, last, ROWS_AT_ONCE)
        if not keys:
            return lost_count
        found = await asyncio.gather(*map(resources.bucket.exists, keys))
        lost = [key for key, is_there in zip(keys, found, strict=True) if not is_there]
        for key in lost:
            log.error("stored_object_lost", key=key)
        if lost:
            async with resources.database.transaction() as tx:
                await jobs.enqueue(tx, "files.lost", {"keys": lost})
        lost_count += len(lost)
        last = keys[-1]
