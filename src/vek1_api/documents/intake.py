"""Taking a document as it is sent: JSON or a multipart form, and waiting for its index."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import orjson
from fastapi import Request, Response
from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile

from vek1_api.access.dependencies import Writing, resources_of
from vek1_api.core.answers import Answer, respond
from vek1_api.core.bodies import json_body, validated
from vek1_api.core.errors import (
    FieldError,
    UnsupportedMediaTypeError,
    ValidationFailedError,
)
from vek1_api.core.idempotency import Claim, fingerprint
from vek1_api.core.object_keys import private_key
from vek1_api.documents import reading, service
from vek1_api.documents.schemas import DocumentCreate, FileFields
from vek1_api.documents.status import IndexStatus
from vek1_api.files.incoming import IncomingFile, judge
from vek1_api.files.service import Upload, uploaded

FIRST_LOOK_SECONDS = 0.05
LONGEST_LOOK_SECONDS = 0.5
ROOM_TO_ANSWER = timedelta(seconds=2)
MAX_FIELDS = 20

Fields = TypeVar("Fields", bound=BaseModel)

OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/DocumentCreate"}},
            "multipart/form-data": {
                "schema": {"$ref": "#/components/schemas/DocumentForm"}
            },
        },
    }
}


class DocumentForm(FileFields):
    """A file and its fields; `tags` and `metadata` are JSON texts."""

    file: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: a text, or a file with its fields."""

    text: DocumentCreate | None = None
    fields: FileFields | None = None
    file: IncomingFile | None = None


Intake: TypeAlias = Request
"""What a route takes: not read yet, as a dependency that closes it would cost each request."""


@asynccontextmanager
async def _read(request: Request) -> AsyncGenerator[Sent]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        yield Sent(text=validated(DocumentCreate, await json_body(request)))
    elif media_type == "multipart/form-data":
        # Its end closes the temporary file of the upload.
        async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
            limit = resources_of(request).settings.max_file_bytes
            yield await _from_form(form, limit)
    else:
        message = (
            "Send application/json with `content`, or multipart/form-data with `file`."
        )
        raise UnsupportedMediaTypeError(message)


async def _from_form(form: FormData, max_bytes: int) -> Sent:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        message = "The form has no `file`."
        raise ValidationFailedError(
            message, errors=[FieldError("/file", "missing", message)]
        )
    # A form that a person fills in sends its empty fields too.
    values = {
        name: _form_value(name, value)
        for name, value in form.items()
        if name != "file" and value != ""
    }
    fields = validated(FileFields, values)
    return Sent(
        fields=fields, file=await judge(file.file, file.filename, max_bytes=max_bytes)
    )


async def take(
    write: Writing, store_id: UUID, intake: Intake, wait_seconds: float
) -> Response:
    """Store what was sent, once for its ``Idempotency-Key``, and wait for its index if asked."""
    settles_in = timedelta(seconds=wait_seconds) + ROOM_TO_ANSWER if wait_seconds else None
    digest = None
    async with _read(intake) as sent:
        if sent.text is not None:
            response = await _take_text(write, store_id, sent.text, settles_in)
        else:
            assert sent.file is not None
            assert sent.fields is not None
            digest = _digest(sent.fields, sent.file)
            response = await _take_file(write, store_id, sent, digest, settles_in)
    is_first = "idempotency-replayed" not in response.headers
    if wait_seconds and is_first:
        return await _indexed(write, response, wait_seconds, await write.claim(digest))
    return response


async def _take_text(
    write: Writing, store_id: UUID, text: DocumentCreate, settles_in: timedelta | None
) -> Response:
    return await write(
        lambda tx: service.create(tx, write.access, store_id, text), settles_in=settles_in
    )


async def _take_file(
    write: Writing,
    store_id: UUID,
    sent: Sent,
    digest: bytes,
    settles_in: timedelta | None,
) -> Response:
    fields, file = sent.fields, sent.file
    assert file is not None
    assert fields is not None
    # Before the bytes are sent anywhere: a replay needs none of it.
    if known := await write.replayed(await write.claim(digest)):
        return respond(known, replayed=True)
    upload = Upload(
        key=private_key(write.access.company_id, "documents", file.file_type.value),
        store_id=store_id,
        size_bytes=file.size_bytes,
        content_type=file.file_type.mime_type,
    )
    async with uploaded(write.resources, write.access, upload, file.stream) as key:
        return await write(
            lambda tx: service.create_from_file(
                tx, write.access, store_id, fields, file, key=key
            ),
            digest=digest,
            settles_in=settles_in,
        )


async def _indexed(
    write: Writing, response: Response, wait_seconds: float, claim: Claim | None
) -> Response:
    document_id = UUID(orjson.loads(bytes(response.body))["id"])
    deadline = time.monotonic() + wait_seconds
    pause = FIRST_LOOK_SECONDS
    database = write.resources.database
    while (left := deadline - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)
        status = await reading.index_status(database, write.access, document_id)
        if status != IndexStatus.PENDING:
            break
    body = await reading.get(database, write.access, document_id)
    answer = Answer(201, body).recorded()
    if claim is not None:
        # A replay must give these bytes, not those of before the wait.
        async with database.transaction() as tx:
            await claim.amend(tx, answer)
    return respond(answer)


def _digest(fields: FileFields, file: IncomingFile) -> bytes:
    name = file.filename.encode()
    return fingerprint(fields.model_dump_json().encode(), name, file.digest)


def _form_value(name: str, value: object) -> Any:
    if name in {"tags", "metadata"} and isinstance(value, str):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            message = f"`{name}` in a form is a JSON text."
            problem = FieldError(f"/{name}", "json_invalid", message)
            raise ValidationFailedError(message, errors=[problem]) from error
    return value
