"""Taking a file that is sent for import: read, judged, then applied or left to a job."""

from functools import partial
from uuid import UUID

from anyio import to_thread
from fastapi import Response, UploadFile

from vek1_api.access.dependencies import Writing
from vek1_api.access.grants import assert_owns_store
from vek1_api.core.answers import Answer, respond
from vek1_api.core.errors import PayloadTooLargeError
from vek1_api.core.idempotency import fingerprint
from vek1_api.files.filetypes import FileType
from vek1_api.files.incoming import judge
from vek1_api.imports import service
from vek1_api.imports.columns import missing
from vek1_api.imports.importers import Importer
from vek1_api.imports.judging import Row, judged
from vek1_api.imports.limits import ANSWERED_ROWS, MAX_BYTES
from vek1_api.imports.reading import Sheet, open_sheet
from vek1_api.imports.sieving import UNSTORABLE, refuse, unstorable

_TEXTS = frozenset({FileType.CSV, FileType.TEXT})


async def take(
    write: Writing,
    importer: Importer,
    store_id: UUID,
    file: UploadFile,
    *,
    is_dry_run: bool,
) -> Response:
    """Import a CSV, once for its ``Idempotency-Key``: 200 with verdicts, or 202 if it is long.

    Raises ``PayloadTooLargeError``, ``UnsupportedMediaTypeError``, ``EmptyFileError``, and
    ``ValidationFailedError`` for columns that cannot be read; then nothing is imported.
    """
    if file.size is not None and file.size > MAX_BYTES:
        message = (
            f"The file has more than {MAX_BYTES} bytes; split it and import the parts."
        )
        raise PayloadTooLargeError(message)
    # Its name is left out: a text is read as CSV whatever it is called.
    sent = await judge(file.file, None, max_bytes=MAX_BYTES, allowed=_TEXTS)
    digest = fingerprint(sent.digest)
    if known := await write.replayed(await write.claim(digest)):
        return respond(known, replayed=True)
    async with write.resources.database.driver() as driver:
        await assert_owns_store(driver, write.access, store_id)
    sheet = await to_thread.run_sync(open_sheet, sent.stream, importer.header)
    if lacking := importer.missing(sheet.fields):
        raise missing(lacking)
    if sheet.row_count > ANSWERED_ROWS:
        return await write(
            lambda tx: service.stage(
                tx, write.access, importer, store_id, sheet, is_dry_run=is_dry_run
            ),
            digest=digest,
        )
    rows = await to_thread.run_sync(_all_rows, sheet)
    work = partial(
        _rehearsed if is_dry_run else _applied, write, importer, store_id, rows, digest
    )
    try:
        return await work()
    except UNSTORABLE:
        trial = partial(
            service.rehearse, write.resources.database, write.access, importer, store_id
        )
        for row in await unstorable(rows, trial):
            refuse(row)
        return await work()


async def _applied(
    write: Writing, importer: Importer, store_id: UUID, rows: list[Row], digest: bytes
) -> Response:
    return await write(
        lambda tx: service.import_now(tx, write.access, importer, store_id, rows),
        digest=digest,
    )


async def _rehearsed(
    write: Writing, importer: Importer, store_id: UUID, rows: list[Row], digest: bytes
) -> Response:
    verdicts = await service.rehearse(
        write.resources.database, write.access, importer, store_id, rows
    )
    answer = service.result(importer, verdicts, is_dry_run=True)

    async def recorded(_tx: object) -> Answer:
        return answer

    return await write(recorded, digest=digest)


def _all_rows(sheet: Sheet) -> list[Row]:
    return list(judged(sheet))
