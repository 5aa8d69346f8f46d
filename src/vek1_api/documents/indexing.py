"""From a stored document to passages that answer: load, work, apply.

No transaction is open while a file is fetched, extracted or embedded. What was made is written
only if the document is still the revision that was loaded, so a late run changes nothing, and
running twice is the same as once. Passages that stay as they are keep their vectors.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import numpy as np
import structlog

from vek1_api.core.db import Database, Driver
from vek1_api.core.embedding import (
    BlankTextError,
    Embedder,
    EmbeddingError,
    EmbeddingMismatchError,
    EmbeddingRefusedError,
    Vector,
)
from vek1_api.core.resources import Resources
from vek1_api.core.storage import StorageError
from vek1_api.documents import indexing_queries as queries, vector_queries
from vek1_api.documents.chunking import Chunk, chunk
from vek1_api.documents.extraction import ExtractedText, ExtractionError, PageSpan
from vek1_api.documents.indexing_queries import Passage, Source
from vek1_api.documents.sandbox import extract_in_sandbox
from vek1_api.documents.status import IndexStatus
from vek1_api.documents.vector_queries import vector_text
from vek1_api.files.filetypes import FileType

_WAITING = {"status": IndexStatus.PENDING, "error_code": "unavailable"}

log = structlog.get_logger()


async def index(resources: Resources, document_id: UUID, revision: int) -> None:
    """Index one revision of a document, or write why it cannot be.

    Raises ``StorageError`` and ``EmbeddingError`` where trying again may help.
    """
    try:
        await embed(resources, document_id, revision)
    except ExtractionError as error:
        log.info("document_not_extracted", document_id=str(document_id), code=error.code)
        await _fail(resources, document_id, revision, str(error.code), error.message)
    except (EmbeddingRefusedError, BlankTextError) as error:
        log.warning(
            "document_not_embedded", document_id=str(document_id), reason=error.reason
        )
        message = "The embedding model refused this text."
        await _fail(resources, document_id, revision, "embedding_refused", message)
    except (EmbeddingError, StorageError):
        # It stays pending and is tried again; until then the merchant sees why.
        message = (
            "The embedding model or the object store is down; it is tried again by itself."
        )
        await _note(
            resources, document_id, revision, {**_WAITING, "error_message": message}
        )
        raise


async def embed(resources: Resources, document_id: UUID, revision: int) -> None:
    """Write the passages and vectors of one revision, or raise and write nothing.

    A document that is gone or has changed since is left alone.
    """
    async with resources.database.read() as connection:
        source = await queries.source(connection, document_id, revision)
    if source is None:
        return
    text = await _text(resources, source)
    passages, contents = _passages(source, text)
    await _embed_and_apply(resources, source, revision, text, passages, contents)


async def _text(resources: Resources, source: Source) -> ExtractedText:
    if source.content or source.object_key is None:
        spans = source.pages
        pages = None if spans is None else tuple(PageSpan(*span) for span in spans)
        return ExtractedText(source.content, pages)
    file_type = next(kind for kind in FileType if kind.mime_type == source.mime_type)
    with tempfile.TemporaryDirectory(prefix="vek1-") as folder:
        path = Path(folder) / "original"
        await resources.bucket.download(source.object_key, path)
        return await extract_in_sandbox(path, file_type)


def _passages(
    source: Source, text: ExtractedText
) -> tuple[list[Passage], dict[bytes, str]]:
    """Return the passages, and by digest the text of each that is embedded."""
    passages, contents = [], {}
    for piece in chunk(text.text, pages=text.pages):
        content = _embedded_text(source.title, piece)
        digest = hashlib.sha256(content.encode()).digest()
        contents[digest] = content
        headline = f"{source.title}\n{piece.context}"
        passages.append(
            Passage(
                piece.index,
                piece.text,
                piece.start,
                piece.end,
                piece.page,
                digest,
                headline,
            )
        )
    return passages, contents


def _embedded_text(title: str, piece: Chunk) -> str:
    """Return the passage with what it is about: alone, "Até 7 dias" answers nothing."""
    return "\n".join(part for part in (title, piece.context, piece.text) if part)


async def _embed_and_apply(
    resources: Resources,
    source: Source,
    revision: int,
    text: ExtractedText,
    passages: list[Passage],
    contents: dict[bytes, str],
) -> None:
    await resources.embedder.ready()
    model = await current_model(resources)
    async with resources.database.read() as connection:
        vectors = await vector_queries.known_vectors(connection, source.document_id, model)
    fresh = [digest for digest in contents if digest not in vectors]
    made = await resources.embedder.embed_passages([contents[digest] for digest in fresh])
    vectors |= dict(zip(fresh, map(vector_text, made), strict=True))
    ordered = [vectors[passage.digest] for passage in passages]
    async with resources.database.transaction() as tx:
        if not await queries.lock_revision(tx, source.document_id, revision):
            return
        await queries.replace_passages(tx, source, passages)
        by_index = dict(enumerate(ordered))
        await vector_queries.add_vectors(tx, source, model, by_index)
        content = text.text if text.text != source.content else None
        await queries.set_document(
            tx, source.document_id, content=content, embedding=_whole(ordered)
        )
        ended = {
            "status": IndexStatus.READY,
            "error_code": None,
            "error_message": None,
            "chunk_count": len(passages),
            "model_id": model,
            "pages": None if text.pages is None else [list(span) for span in text.pages],
            "page_count": None if text.pages is None else len(text.pages),
        }
        await queries.settle(tx, source.document_id, ended)


async def current_model(resources: Resources) -> int:
    """Return the id of the model in use, which must have the dimension it is known with."""
    embedder = resources.embedder
    async with resources.database.transaction() as tx:
        model, dimensions = await vector_queries.model_id(
            tx, embedder.model, embedder.dimensions
        )
    _assert_dimensions(embedder, dimensions)
    return model


_known: WeakKeyDictionary[Database, dict[str, tuple[int, int]]] = WeakKeyDictionary()
"""Id and dimension of the models that were asked for; a name keeps them for ever."""


async def current_model_id(resources: Resources, driver: Driver) -> int:
    """Return the id of the model in use; zero, which none has, before its first vector.

    Raises ``EmbeddingMismatchError`` for a model whose dimension is not the recorded one.
    """
    name = resources.embedder.model
    known = _known.setdefault(resources.database, {})
    if name not in known:
        row = await vector_queries.MODEL.row(driver, name=name)
        if row is None:
            return 0
        known[name] = row["id"], row["dimensions"]
    model, dimensions = known[name]
    _assert_dimensions(resources.embedder, dimensions)
    return model


def _assert_dimensions(embedder: Embedder, recorded: int) -> None:
    if embedder.dimensions == recorded:
        return
    reason = (
        f"{embedder.model} has {embedder.dimensions} dimensions, but {recorded} are "
        "recorded; give the model another name and run `vek1-api reembed`"
    )
    raise EmbeddingMismatchError(reason)


def _whole(vectors: Sequence[str]) -> str | None:
    """Return the document as one vector: the mean of its passages, of length 1."""
    if not vectors:
        return None
    mean = np.mean(
        [np.fromstring(text[1:-1], np.float32, sep=",") for text in vectors], axis=0
    )
    length = float(np.linalg.norm(mean))
    whole: Vector = (mean / length if length else mean).astype(np.float32)
    return vector_text(whole)


async def _fail(
    resources: Resources, document_id: UUID, revision: int, code: str, message: str
) -> None:
    failed = {"status": IndexStatus.FAILED, "error_code": code, "error_message": message}
    await _note(resources, document_id, revision, failed)


async def _note(
    resources: Resources, document_id: UUID, revision: int, values: dict[str, Any]
) -> None:
    async with resources.database.transaction() as tx:
        if await queries.lock_revision(tx, document_id, revision):
            await queries.settle(tx, document_id, values)
