"""Taking a product's file: from a form, or from where a browser put it by itself."""

import tempfile
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID, uuid4

import orjson
from fastapi import Response, UploadFile

from vek1_api.access.access import Access
from vek1_api.access.dependencies import Writing
from vek1_api.core import clock
from vek1_api.core.answers import Answer, respond
from vek1_api.core.errors import PayloadTooLargeError, UnsupportedMediaTypeError
from vek1_api.core.idempotency import fingerprint
from vek1_api.core.object_keys import private_key, public_product_key
from vek1_api.core.resources import Resources
from vek1_api.core.storage import UploadForm
from vek1_api.files.filetypes import FileType
from vek1_api.files.images import fit_for_all
from vek1_api.files.incoming import IncomingFile, judge, plain_name
from vek1_api.files.service import Upload, uploaded
from vek1_api.product_files import queries, service
from vek1_api.product_files.errors import NotUploadedError
from vek1_api.product_files.queries import Staged
from vek1_api.product_files.schemas import ProductUploadCreate, ProductUploadRead

FORM_LIFE = timedelta(minutes=15)
_KINDS = {kind.mime_type: kind for kind in service.ALLOWED}


async def take(write: Writing, product_id: UUID, sent: UploadFile) -> Response:
    """Store a file that came in a form, once for its ``Idempotency-Key``."""
    resources, access = write.resources, write.access
    limit = resources.settings.max_file_bytes
    file = await judge(sent.file, sent.filename, max_bytes=limit, allowed=service.ALLOWED)
    digest = fingerprint(file.filename.encode(), file.digest)
    # Before the bytes are sent anywhere: a replay needs none of it.
    if known := await write.replayed(await write.claim(digest)):
        return respond(known, replayed=True)
    store_id = await service.store_of(resources.database, access, product_id)
    file = await fit_for_all(file)
    upload = _public(access, product_id, store_id, file)
    async with uploaded(resources, access, upload, file.stream) as key:
        return await write(
            lambda tx: service.create(tx, access, resources, product_id, file, key=key),
            digest=digest,
        )


async def presign(
    write: Writing, product_id: UUID, wanted: ProductUploadCreate
) -> Response:
    """Let a browser put a file into the bucket by itself, where nobody else can read it.

    Raises ``PayloadTooLargeError`` and ``UnsupportedMediaTypeError`` for what could not be
    completed.
    """
    limit = write.resources.settings.max_file_bytes
    if wanted.size > limit:
        message = f"The file has {wanted.size} bytes; {limit} are allowed."
        raise PayloadTooLargeError(message)
    kind = _kind(wanted.mime_type)
    staged = Staged(
        file_id=uuid4(),
        product_id=product_id,
        object_key=private_key(write.access.company_id, "incoming", kind.value),
        filename=plain_name(wanted.filename, kind),
        mime_type=kind.mime_type,
        size_bytes=wanted.size,
        expires_at=clock.now() + FORM_LIFE,
    )
    form = await write.resources.bucket.upload_form(
        staged.object_key,
        content_type=staged.mime_type,
        max_bytes=staged.size_bytes,
        expires_at=staged.expires_at,
    )
    answer = _form_answer(staged, form)
    return await write(lambda tx: service.expect(tx, write.access, staged, answer))


async def complete(write: Writing, file_id: UUID) -> Response:
    """Check what a browser put into the bucket exactly like a form's file, and publish it."""
    resources, access = write.resources, write.access
    if known := await write.replayed(await write.claim()):
        return respond(known, replayed=True)
    async with resources.database.read() as connection:
        staged = await queries.staged(connection, access, file_id)
    if staged is None:
        return await write(lambda tx: service.completed(tx, access, file_id))
    store_id = await service.store_of(resources.database, access, staged.product_id)
    with tempfile.TemporaryFile() as stream:
        if not await _fetch(resources, staged, stream):
            # Unless another completion has taken it just now.
            return await write(
                lambda tx: service.completed(tx, access, file_id, NotUploadedError())
            )
        judged = await judge(
            stream, staged.filename, max_bytes=staged.size_bytes, allowed=service.ALLOWED
        )
        file = await fit_for_all(judged)
        upload = _public(access, staged.product_id, store_id, file, takes_room=False)
        async with uploaded(resources, access, upload, file.stream) as key:
            return await write(
                lambda tx: service.complete(tx, access, resources, staged, file, key=key)
            )


async def _fetch(resources: Resources, staged: Staged, target: BinaryIO) -> bool:
    """Copy what the browser put into the bucket; false if there is nothing yet."""
    found = await resources.bucket.stat(staged.object_key)
    if found is None:
        return False
    if found.size > staged.size_bytes:
        message = f"The file has {found.size} bytes; {staged.size_bytes} were announced."
        raise PayloadTooLargeError(message)
    await resources.bucket.copy_to(target, staged.object_key, staged.size_bytes)
    return True


def _public(
    access: Access,
    product_id: UUID,
    store_id: UUID,
    file: IncomingFile,
    *,
    takes_room: bool = True,
) -> Upload:
    return Upload(
        key=public_product_key(access.company_id, product_id, file.file_type.value),
        store_id=store_id,
        size_bytes=file.size_bytes,
        content_type=file.file_type.mime_type,
        takes_room=takes_room,
    )


def _kind(mime_type: str) -> FileType:
    kind = _KINDS.get(mime_type.partition(";")[0].strip().lower())
    if kind is None:
        message = f"Announce one of {', '.join(sorted(_KINDS))}."
        raise UnsupportedMediaTypeError(message)
    return kind


def _form_answer(staged: Staged, form: UploadForm) -> Answer:
    shown = ProductUploadRead(
        file_id=staged.file_id,
        url=form.url,
        method="POST",
        fields=form.fields,
        expires_at=staged.expires_at,
    )
    body = orjson.dumps(shown.model_dump(), option=orjson.OPT_UTC_Z)
    return Answer(201, body.decode(), has_etag=False)
