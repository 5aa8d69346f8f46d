"""Imports: small ones in the request's own transaction, large ones as rows for a job."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.audit import service as audit_service
from vek1_api.core import jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of, to_json
from vek1_api.core.pagination import numbered_page, place_of
from vek1_api.core.representation import Json
from vek1_api.imports import queries
from vek1_api.imports.errors import ImportNotFoundError
from vek1_api.imports.importers import Importer, importer_of
from vek1_api.imports.judging import Row, Verdict, judged
from vek1_api.imports.limits import BATCH_ROWS, PORTION_CHARS
from vek1_api.imports.reading import Sheet
from vek1_api.imports.schemas import ImportFilters
from vek1_api.imports.status import VERDICTS, ImportStatus, RowStatus

RUN = "imports.run"
"""The job that works through the rows of an import."""

Summary = dict[str, int]


class _RehearsedError(Exception):
    """Rolls a dry run's transaction back."""


async def get(
    database: Database, access: Access, import_id: UUID, filters: ImportFilters
) -> Json:
    """Return an import with a page of its rows, or raise ``ImportNotFoundError``."""
    after = place_of(filters.cursor)
    async with database.driver() as driver:
        head = await queries.GET.row(driver, import_id=import_id, **access.owner)
        if head is None:
            raise ImportNotFoundError(import_id)
        rows = await queries.ROWS.rows(
            driver,
            import_id=import_id,
            after=after,
            status=filters.status,
            target=importer_of(head["kind"]).target,
            row_limit=filters.limit + 1,
        )
    page = numbered_page([(row["row"], row["body"]) for row in rows], filters.limit)
    members = page.decode().removeprefix('{"items":')
    return f'{str(head["body"]).removesuffix("}")}, "rows":{members}'


async def import_now(
    tx: AsyncConnection,
    access: Access,
    importer: Importer,
    store_id: UUID,
    rows: Sequence[Row],
) -> Answer:
    """Apply all rows in the caller's transaction."""
    import_id = uuid4()
    verdicts = await decide(tx, access, importer, store_id, import_id, rows)
    summary = summed({}, verdicts)
    await log(tx, access, importer, store_id, import_id, summary)
    return result(importer, verdicts, is_dry_run=False)


async def decide(
    tx: AsyncConnection,
    access: Access,
    importer: Importer,
    store_id: UUID,
    import_id: UUID,
    rows: Sequence[Row],
) -> list[Verdict]:
    """Apply the rows that can be, and return the verdict on each, in their order."""
    refused = [Verdict.refused(row.number, row.errors) for row in rows if row.errors]
    applied: list[Verdict] = []
    for portion in _portions([row for row in rows if not row.errors]):
        applied += await importer.apply(tx, access, store_id, import_id, portion)
    return sorted([*refused, *applied], key=lambda verdict: verdict.row)


def _portions(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield the rows in parts of bounded text; one part in all but unusual files."""
    portion: list[Row] = []
    chars = 0
    for row in rows:
        portion.append(row)
        chars += sum(len(value) for value in row.values.values() if isinstance(value, str))
        if chars >= PORTION_CHARS:
            yield portion
            portion, chars = [], 0
    if portion:
        yield portion


async def rehearse(
    database: Database,
    access: Access,
    importer: Importer,
    store_id: UUID,
    rows: Sequence[Row],
) -> list[Verdict]:
    """Return the verdicts that ``decide`` would give, by giving them and undoing everything."""
    verdicts: list[Verdict] = []
    try:
        async with database.transaction() as tx:
            verdicts = await decide(tx, access, importer, store_id, uuid4(), rows)
            raise _RehearsedError  # noqa: TRY301 - It is what rolls back.
    except _RehearsedError:
        # What would be created has no id yet.
        return [
            Verdict(each.row, each.status) if each.status == RowStatus.CREATED else each
            for each in verdicts
        ]


def result(importer: Importer, verdicts: Sequence[Verdict], *, is_dry_run: bool) -> Answer:
    """Return the answer of an import that is done."""
    body = {
        "dry_run": is_dry_run,
        "rows": [_shown(importer, verdict) for verdict in verdicts],
        "summary": summed({}, verdicts),
    }
    return Answer(200, to_json(body), has_etag=False)


async def stage(
    tx: AsyncConnection,
    access: Access,
    importer: Importer,
    store_id: UUID,
    sheet: Sheet,
    *,
    is_dry_run: bool,
) -> Answer:
    """Keep the rows for a job, which this transaction enqueues."""
    import_id = uuid4()
    staging = _Staging(import_id, sheet)
    driver = await driver_of(tx)
    await queries.stage(driver, staging.records())
    if importer.key is not None:
        staging.refused += await queries.refuse_duplicates(tx, import_id, importer.key)
    await queries.ADD.rows(
        driver,
        id=import_id,
        store_id=store_id,
        kind=importer.kind,
        dry_run=is_dry_run,
        status=ImportStatus.PENDING,
        actor_user_id=access.actor_user_id,
        total_rows=staging.total,
        done_rows=staging.refused,
        summary=summed({RowStatus.ERROR.value: staging.refused}, ()),
    )
    await jobs.enqueue(tx, RUN, {"import_id": str(import_id)}, once=f"{RUN}:{import_id}")
    return Answer(202, to_json({"import_id": import_id}), has_etag=False)


class _Staging:
    """The rows of a file as COPY takes them, read in a thread, a batch at a time."""

    def __init__(self, import_id: UUID, sheet: Sheet) -> None:
        self._import_id = import_id
        self._rows = judged(sheet)
        self.total = 0
        self.refused = 0

    async def records(self) -> AsyncGenerator[tuple[Any, ...]]:
        """Yield the rows; those with errors have their verdict already."""
        while batch := await to_thread.run_sync(self._next):
            for record in batch:
                yield record

    def _next(self) -> list[tuple[Any, ...]]:
        return [self._record(row) for row in islice(self._rows, BATCH_ROWS)]

    def _record(self, row: Row) -> tuple[Any, ...]:
        self.total += 1
        if not row.errors:
            return self._import_id, row.number, to_json(row.values), None, None
        self.refused += 1
        errors = to_json(row.errors)
        return self._import_id, row.number, None, RowStatus.ERROR.value, errors


def summed(before: Mapping[str, int], verdicts: Iterable[Verdict]) -> Summary:
    """Return how many rows have which verdict, those before included."""
    counts = Counter(before)
    counts.update(verdict.status.value for verdict in verdicts)
    return {status.value: counts[status.value] for status in VERDICTS}


async def log(
    tx: AsyncConnection,
    access: Access,
    importer: Importer,
    store_id: UUID,
    import_id: UUID,
    summary: Summary,
) -> None:
    """Write that a file was imported: one entry, however many rows it had."""
    await audit_service.log_audit(
        tx,
        access,
        importer.action,
        "import",
        import_id,
        store_id=store_id,
        meta={"summary": summary},
    )


def recorded(verdicts: Iterable[Verdict]) -> Iterator[dict[str, Any]]:
    """Yield verdicts as rows of ``import_rows``."""
    for verdict in verdicts:
        yield {
            "row": verdict.row,
            "status": verdict.status,
            "target_id": verdict.target_id,
            "errors": verdict.errors or None,
        }


def _shown(importer: Importer, verdict: Verdict) -> dict[str, Any]:
    shown: dict[str, Any] = {"row": verdict.row, "status": verdict.status}
    if verdict.target_id is not None:
        shown[importer.target] = verdict.target_id
    if verdict.errors:
        shown["errors"] = verdict.errors
    return shown
