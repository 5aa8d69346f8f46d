"""Pictures that anyone may see: of a size that a browser can bear, and without metadata."""

import io
from dataclasses import replace
from typing import BinaryIO

from anyio import to_thread

from vek1_api.core.errors import (
    FieldError,
    UnsupportedMediaTypeError,
    ValidationFailedError,
)
from vek1_api.files.filetypes import FileType
from vek1_api.files.image_formats import BrokenImageError, Picture, gif, jpeg, png, webp
from vek1_api.files.incoming import IncomingFile

MAX_SIDE = 20_000
MAX_PIXELS = 50_000_000
"""Of one picture; decoded it takes four bytes for each in whatever shows it."""

_STRIPPERS = {
    FileType.JPEG: jpeg.strip,
    FileType.PNG: png.strip,
    FileType.GIF: gif.strip,
    FileType.WEBP: webp.strip,
}


async def fit_for_all(file: IncomingFile) -> IncomingFile:
    """Return the file as it may be public: of a picture its pixels, colours and orientation.

    No pixel is decoded, so a bomb costs no more than its bytes. Other kinds of file stay as
    they are; ``digest`` stays that of the bytes that were sent. Raises
    ``ValidationFailedError`` for a picture over ``MAX_SIDE`` or ``MAX_PIXELS``, and
    ``UnsupportedMediaTypeError`` for one that cannot be read.
    """
    if file.file_type not in _STRIPPERS:
        return file
    return await to_thread.run_sync(_fit_for_all, file)


def _fit_for_all(file: IncomingFile) -> IncomingFile:
    picture = _stripped(file.stream, file.file_type)
    _assert_bearable(picture)
    content = picture.content
    return replace(file, stream=io.BytesIO(content), size_bytes=len(content))


def _stripped(stream: BinaryIO, file_type: FileType) -> Picture:
    stream.seek(0)
    try:
        return _STRIPPERS[file_type](stream.read())
    except BrokenImageError as error:
        message = f"This {file_type.value} picture cannot be read: {error}."
        raise UnsupportedMediaTypeError(message) from error


def _assert_bearable(picture: Picture) -> None:
    width, height = picture.width, picture.height
    if max(width, height) <= MAX_SIDE and width * height <= MAX_PIXELS:
        return
    message = (
        f"The picture has {width} x {height} pixels; at most {MAX_SIDE} a side and "
        f"{MAX_PIXELS} in all are allowed."
    )
    raise ValidationFailedError(
        message, errors=[FieldError("/file", "image_too_large", message)]
    )
