"""Repairing what drifted apart in spite of all care: objects without rows, rows without objects.

A browser may send bytes after its upload was given up, a bucket may be restored from yesterday,
somebody may delete in it by hand.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from vek1_api.core import clock, jobs
from vek1_api.core.object_keys import is_ours
from vek1_api.core.resources import Resources
from vek1_api.core.storage import ListedObject
from vek1_api.files import queries

PREFIX = "companies/"
STRANDED_AFTER = timedelta(hours=2)
"""Longer than any upload: the row of an object is there before its first byte."""

ROWS_AT_ONCE = 500
MAX_STRANDED = 10_000
"""Removed in one run; what is left goes in the next."""

TOO_MANY_STRANDED = 100
"""So many, and most of the bucket: it is not stranded, it is another database's."""

MAX_COMPARED = 100_000
"""Objects and rows that a person waits for; the nightly run looks at all."""

REPORTED_EVERY = 10_000
"""Objects, between two signs of life."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Drift:
    """What a run found: objects that it removed, rows whose objects are lost."""

    removed: int
    lost: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found without changing anything: how many objects, which are one-sided."""

    objects: int
    is_whole: bool
    """Whether there are no more than ``MAX_COMPARED``."""
    stranded: Sequence[str]
    lost: Sequence[str]


async def compare(resources: Resources, progress: Callable[[int], None]) -> Comparison:
    """Compare the bucket with the rows; ``progress`` hears now and then how many are seen."""
    seen: set[str] = set()
    stranded: list[str] = []
    is_whole = True
    async for page in resources.bucket.pages(PREFIX):
        is_whole = len(seen) < MAX_COMPARED
        if not is_whole:
            break
        before = len(seen)
        seen.update(each.key for each in page)
        stranded += (await _unknown(resources, page))[0]
        if len(seen) // REPORTED_EVERY > before // REPORTED_EVERY:
            progress(len(seen))
    lost = await _lost(resources, seen)
    return Comparison(len(seen), is_whole, stranded, lost)


async def _lost(resources: Resources, seen: set[str]) -> list[str]:
    """Return the kept rows without object, of the first rows; ``seen`` need not be asked."""
    lost: list[str] = []
    last = ""
    for _ in range(0, MAX_COMPARED, ROWS_AT_ONCE):
        async with resources.database.read() as connection:
            keys = await queries.kept_after(connection, last, ROWS_AT_ONCE)
        if not keys:
            break
        lost += await _missing(resources, [key for key in keys if key not in seen])
        last = keys[-1]
    return lost


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
    stranded: list[str] = []
    known_count = 0
    async for page in resources.bucket.pages(PREFIX):
        unknown, known = await _unknown(resources, page)
        stranded += unknown
        known_count += known
        if len(stranded) >= MAX_STRANDED:
            break
    return stranded[:MAX_STRANDED], known_count


async def _unknown(
    resources: Resources, page: Sequence[ListedObject]
) -> tuple[list[str], int]:
    """Return keys of a page that should have a row and have none, and how many have one."""
    before = clock.now() - STRANDED_AFTER
    # The front end may keep files of its own here; they have other names.
    ours = [each for each in page if is_ours(each.key)]
    async with resources.database.read() as connection:
        known = await queries.known(connection, [each.key for each in ours])
    unknown = [
        each.key for each in ours if each.modified_at < before and each.key not in known
    ]
    return unknown, len(known)


async def _missing(resources: Resources, keys: Sequence[str]) -> list[str]:
    found = await asyncio.gather(*map(resources.bucket.exists, keys))
    return [key for key, is_there in zip(keys, found, strict=True) if not is_there]


async def _report_lost(resources: Resources) -> int:
    """Log each kept row whose object is missing, and let the domains above know by a job."""
    lost_count, last = 0, ""
    while True:
        async with resources.database.read() as connection:
            keys = await queries.kept_after(connection, last, ROWS_AT_ONCE)
        if not keys:
            return lost_count
        lost = await _missing(resources, keys)
        for key in lost:
            log.error("stored_object_lost", key=key)
        if lost:
            async with resources.database.transaction() as tx:
                await jobs.enqueue(tx, "files.lost", {"keys": lost})
        lost_count += len(lost)
        last = keys[-1]
