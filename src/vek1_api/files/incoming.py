"""A file that somebody sends: bounded, not empty, of a kind judged by its bytes."""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO

from anyio import to_thread

from vek1_api.core.errors import (
    EmptyFileError,
    FieldError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from vek1_api.files.filetypes import FileType, UnsupportedFileTypeError, sniff

IMAGES = frozenset({FileType.JPEG, FileType.PNG, FileType.GIF, FileType.WEBP})
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file as it came, judged."""

    stream: BinaryIO
    filename: str
    size_bytes: int
    file_type: FileType
    digest: bytes
    """SHA-256 of the bytes."""


async def judge(
    stream: BinaryIO,
    filename: str | None,
    *,
    max_bytes: int,
    allowed: Collection[FileType] = frozenset(FileType),
) -> IncomingFile:
    """Return the file if it may be stored.

    Raises ``EmptyFileError``, ``PayloadTooLargeError`` over ``max_bytes``, and
    ``UnsupportedMediaTypeError`` for a kind that is not ``allowed``.
    """
    return await to_thread.run_sync(_judge, stream, filename, max_bytes, allowed)


def _judge(
    stream: BinaryIO, filename: str | None, max_bytes: int, allowed: Collection[FileType]
) -> IncomingFile:
    size_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size_bytes == 0:
        message = "The file is empty."
        raise EmptyFileError(message, errors=[FieldError("/file", "empty", message)])
    if size_bytes > max_bytes:
        message = f"The file has {size_bytes} bytes; {max_bytes} are allowed."
        raise PayloadTooLargeError(message)
    names = ", ".join(sorted(kind.value for kind in allowed))
    try:
        file_type = sniff(stream, filename)
    except UnsupportedFileTypeError as error:
        message = f"This looks like {error.found}. Send one of {names}."
        raise UnsupportedMediaTypeError(message) from error
    if file_type not in allowed:
        message = f"This is a {file_type.value} file; send one of {names}."
        raise UnsupportedMediaTypeError(message)
    digest = _digest(stream)
    stream.seek(0)
    return IncomingFile(
        stream, plain_name(filename, file_type), size_bytes, file_type, digest
    )


def _digest(stream: BinaryIO) -> bytes:
    stream.seek(0)
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.digest()


def plain_name(filename: str | None, file_type: FileType) -> str:
    """Return the last part of the name that was sent, without what a name cannot hold.

    At most 255 characters; without a name, one that says the kind.
    """
    last = (filename or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    return shown[:255] or f"file{file_type.extension}"
