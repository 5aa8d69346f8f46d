"""Bringing a proof in: from a form, or from a message whose file is stored already."""

import tempfile
from dataclasses import dataclass
from uuid import UUID

import structlog
from fastapi import Response, UploadFile

from vek1_api.access import access as accesses
from vek1_api.access.access import Access
from vek1_api.access.dependencies import Writing
from vek1_api.core.answers import respond
from vek1_api.core.errors import (
    EmptyFileError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from vek1_api.core.idempotency import fingerprint
from vek1_api.core.object_keys import proof_key
from vek1_api.core.resources import Resources
from vek1_api.core.storage import StorageError
from vek1_api.files.incoming import IncomingFile, judge
from vek1_api.files.service import Upload, uploaded
from vek1_api.orders.errors import InvalidTransitionError, OrderNotFoundError
from vek1_api.proofs import queries, service
from vek1_api.proofs.service import Arrival
from vek1_api.proofs.status import ProofSource

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored private object that somebody sent in a message."""

    lead_id: UUID
    message_id: UUID
    object_key: str
    filename: str | None = None
    order_id: UUID | None = None
    """The order it is meant for; else the lead's newest that waits for a proof."""


async def take_upload(write: Writing, order_id: UUID, sent: UploadFile) -> Response:
    """Keep a file that came in a form, once for its ``Idempotency-Key``."""
    resources, access = write.resources, write.access
    limit, api_url = resources.settings.max_file_bytes, resources.settings.api_url
    file = await judge(sent.file, sent.filename, max_bytes=limit, allowed=service.ALLOWED)
    digest = fingerprint(file.filename.encode(), file.digest)
    # Before the bytes are sent anywhere: a replay needs none of it.
    if known := await write.replayed(await write.claim(digest)):
        return respond(known, replayed=True)
    arrival = Arrival(file)
    place = await service.place_of(resources.database, access, order_id, arrival)
    if place.is_known:
        return await write(
            lambda tx: service.unchanged(tx, access, order_id, api_url), digest=digest
        )
    upload = _private(access, order_id, place.store_id, file)
    async with uploaded(resources, access, upload, file.stream) as key:
        return await write(
            lambda tx: service.receive_and_answer(
                tx, access, order_id, arrival, key, api_url
            ),
            digest=digest,
        )


async def take_message(resources: Resources, sent: Sent) -> int | None:
    """Keep the file of a message as a proof of the lead's order; return its version.

    The lead's newest order that awaits a proof gets it, else the newest whose proof was
    received. None where there is no such order, where the message was taken before, and
    where the file is no proof. A copy is kept, because the message may be forgotten. Raises
    ``StorageError`` where trying again may help.
    """
    async with resources.database.driver() as driver:
        row = await queries.TARGET.row(
            driver,
            lead_id=sent.lead_id,
            order_id=sent.order_id,
            message_id=sent.message_id,
        )
    if row is None:
        return None
    try:
        return await _copy(resources, accesses.system(row["company_id"]), row["id"], sent)
    except (EmptyFileError, PayloadTooLargeError, UnsupportedMediaTypeError) as error:
        log.info("message_is_no_proof", message_id=str(sent.message_id), code=error.code)
    except (InvalidTransitionError, OrderNotFoundError) as error:
        # The order went on, or away, meanwhile.
        log.info("proof_came_late", message_id=str(sent.message_id), code=error.code)
    return None


async def _copy(
    resources: Resources, access: Access, order_id: UUID, sent: Sent
) -> int | None:
    limit = resources.settings.max_file_bytes
    with tempfile.TemporaryFile() as stream:
        found = await resources.bucket.stat(sent.object_key)
        if found is None:
            message = f"{sent.object_key} is not there"
            raise StorageError(message)
        if found.size > limit:
            message = f"The file has {found.size} bytes; {limit} are allowed."
            raise PayloadTooLargeError(message)
        await resources.bucket.copy_to(stream, sent.object_key, limit)
        file = await judge(stream, sent.filename, max_bytes=limit, allowed=service.ALLOWED)
        arrival = Arrival(file, ProofSource.WHATSAPP, sent.message_id)
        place = await service.place_of(resources.database, access, order_id, arrival)
        if place.is_known:
            return None
        upload = _private(access, order_id, place.store_id, file)
        async with (
            uploaded(resources, access, upload, file.stream) as key,
            resources.database.transaction() as tx,
        ):
            return await service.receive(tx, access, order_id, arrival, key)


def _private(access: Access, order_id: UUID, store_id: UUID, file: IncomingFile) -> Upload:
    return Upload(
        key=proof_key(access.company_id, order_id, file.file_type.value),
        store_id=store_id,
        size_bytes=file.size_bytes,
        content_type=file.file_type.mime_type,
    )
