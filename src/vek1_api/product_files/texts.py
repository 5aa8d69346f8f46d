"""From a stored file to its text, which its product then speaks of: load, work, apply."""

import tempfile
from pathlib import Path
from uuid import UUID

import structlog

from vek1_api.core.resources import Resources
from vek1_api.documents.extraction import ExtractionError
from vek1_api.documents.sandbox import extract_in_sandbox
from vek1_api.files.filetypes import FileType
from vek1_api.files.incoming import IMAGES
from vek1_api.product_files import queries
from vek1_api.product_files.status import FileStatus

MAX_CHARS = 1_000_000
_KINDS = {kind.mime_type: kind for kind in FileType}

log = structlog.get_logger()


async def extract(resources: Resources, file_id: UUID) -> None:
    """Read a file that waits for it, or write that it cannot be read.

    Raises ``StorageError`` where trying again may help. A second run finds nothing to do.
    """
    async with resources.database.read() as connection:
        source = await queries.source(connection, file_id)
    if source is None:
        return
    status, content = await _read(resources, file_id, *source)
    async with resources.database.transaction() as tx:
        await queries.settle(tx, file_id, status, content)


async def _read(
    resources: Resources, file_id: UUID, key: str, mime_type: str
) -> tuple[FileStatus, str | None]:
    kind = _KINDS.get(mime_type)
    if kind in IMAGES:
        return FileStatus.READY, None
    if kind is None or not await resources.bucket.exists(key):
        # Written by the front end itself, or lost.
        log.warning("product_file_not_readable", file_id=str(file_id), mime_type=mime_type)
        return FileStatus.FAILED, None
    try:
        return FileStatus.READY, await _text(resources, key, kind)
    except ExtractionError as error:
        log.info("product_file_not_extracted", file_id=str(file_id), code=error.code)
        return FileStatus.FAILED, None


async def _text(resources: Resources, key: str, kind: FileType) -> str:
    with tempfile.TemporaryDirectory(prefix="vek1-") as folder:
        path = Path(folder) / "original"
        await resources.bucket.download(key, path)
        extracted = await extract_in_sandbox(path, kind)
    return extracted.text[:MAX_CHARS]
