"""From a stored proof to what it says: load, work, apply."""

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from anyio import to_thread
from pydantic import TypeAdapter

from vek1_api.core.resources import Resources
from vek1_api.documents.extraction import ExtractionCode, ExtractionError
from vek1_api.documents.sandbox import extract_in_sandbox
from vek1_api.files.filetypes import FileType
from vek1_api.pix.receipts import LONGEST_TEXT, ReceiptFacts, payment_key, read_receipt
from vek1_api.proofs import queries
from vek1_api.proofs.errors import UnreadableError
from vek1_api.proofs.pictures import PictureReader
from vek1_api.proofs.status import Reading

FACTS = TypeAdapter(ReceiptFacts)
_KINDS = {kind.mime_type: kind for kind in FileType}

log = structlog.get_logger()


async def read(resources: Resources, proof_id: UUID, reader: PictureReader) -> None:
    """Read a proof that waits for it, or write why it cannot be read.

    Raises ``StorageError`` where trying again may help. A second run finds nothing to do.
    """
    async with resources.database.read() as connection:
        source = await queries.source(connection, proof_id)
    if source is None:
        return
    try:
        text = await _text(resources, *source, reader)
    except UnreadableError as error:
        log.info("proof_unreadable", proof_id=str(proof_id), code=error.code)
        failed = {"reading": Reading.UNREADABLE, "reading_error": error.code}
        async with resources.database.transaction() as tx:
            await queries.settle_reading(tx, proof_id, failed, ())
        return
    facts = await to_thread.run_sync(read_receipt, text)
    values: dict[str, Any] = {
        "reading": Reading.READ,
        "reading_error": None,
        "content": text,
        "facts": FACTS.dump_python(facts, mode="json"),
    }
    payments = sorted(set(map(payment_key, facts.end_to_end_ids)))
    async with resources.database.transaction() as tx:
        await queries.settle_reading(tx, proof_id, values, payments)


async def _text(
    resources: Resources, key: str, mime_type: str, reader: PictureReader
) -> str:
    kind = _KINDS[mime_type]
    with tempfile.TemporaryDirectory(prefix="vek1-") as folder:
        path = Path(folder) / "proof"
        await resources.bucket.download(key, path)
        text = await (
            _text_of_pdf(path, reader) if kind is FileType.PDF else reader.text(path, kind)
        )
    return text[:LONGEST_TEXT]


async def _text_of_pdf(path: Path, reader: PictureReader) -> str:
    """Return the text of a PDF; one that holds a picture of a receipt is read as that."""
    try:
        return (await extract_in_sandbox(path, FileType.PDF)).text
    except ExtractionError as error:
        if error.code is ExtractionCode.NO_TEXT:
            return await reader.text(path, FileType.PDF)
        raise UnreadableError(error.code, error.detail) from error
