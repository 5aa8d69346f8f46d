"""WebP: chunks of a RIFF file, each a name, a length and its data, padded to an even length."""

import io
from collections.abc import Iterator

from vek1_api.files.image_formats import exif
from vek1_api.files.image_formats.picture import BrokenImageError, Picture, bounded, part

_HEAD_BYTES = 12
_NEEDED = frozenset({b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"})
_NEEDED_OF_FRAME = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FRAME_BYTES = 16
"""Of ``ANMF``: place, size and timing of a frame, before the chunks that it is made of."""

_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_FLAGS_AT = _HEAD_BYTES + 8
"""Of an extended file, whose first chunk is ``VP8X``."""


def strip(data: bytes) -> Picture:
    """Return the picture with its colours, animation and orientation."""
    out = io.BytesIO()
    out.write(data[:_HEAD_BYTES])
    width = height = 0
    turned = exif.UPRIGHT
    for name, start, end in bounded(_chunks(data)):
        across, down = _size(name, data, start + 8)
        width, height = max(width, across), max(height, down)
        if name == b"ANMF":
            across, down, frame = _frame(data, start + 8, end)
            width, height = max(width, across), max(height, down)
            _write(out, name, frame)
        elif name in _NEEDED:
            _write(out, name, memoryview(data)[start + 8 : end])
        elif name == b"EXIF" and turned == exif.UPRIGHT:
            turned = exif.orientation(data[start + 8 : end].removeprefix(b"Exif\x00\x00"))
            if turned != exif.UPRIGHT:
                _write(out, name, exif.only_orientation(turned))
    if not width or not height:
        message = "it has no frame with a size"
        raise BrokenImageError(message)
    content = _finished(out, is_turned=turned != exif.UPRIGHT)
    return Picture(width, height, content)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, where it starts, and where its data ends."""
    head = part(data, 0, _HEAD_BYTES)
    whole = min(len(data), 8 + int.from_bytes(head[4:8], "little"))
    return _chunks_between(data, _HEAD_BYTES, whole)


def _chunks_between(data: bytes, at: int, whole: int) -> Iterator[tuple[bytes, int, int]]:
    while at < whole:
        chunk = part(data, at, 8)
        size = int.from_bytes(chunk[4:], "little")
        if at + 8 + size > whole:
            message = f"the chunk at byte {at} is cut"
            raise BrokenImageError(message)
        yield chunk[:4], at, at + 8 + size
        at += 8 + size + size % 2


def _frame(data: bytes, start: int, end: int) -> tuple[int, int, bytes]:
    """Return how far a frame goes to the right and down, and the chunk without more."""
    head = part(data, start, _FRAME_BYTES)
    left, top, across, down = (_number(head[at : at + 3]) for at in range(0, 12, 3))
    width, height = 2 * left + across + 1, 2 * top + down + 1
    out = io.BytesIO()
    out.write(head)
    for name, at, stop in bounded(_chunks_between(data, start + _FRAME_BYTES, end)):
        across, down = _size(name, data, at + 8)
        width, height = max(width, across), max(height, down)
        if name in _NEEDED_OF_FRAME:
            _write(out, name, memoryview(data)[at + 8 : stop])
    return width, height, out.getvalue()


def _size(name: bytes, data: bytes, at: int) -> tuple[int, int]:
    """Return the width and height that a chunk states; zeros where it states none."""
    match name:
        case b"VP8X":
            canvas = part(data, at + 4, 6)
            return _number(canvas[:3]) + 1, _number(canvas[3:]) + 1
        case b"VP8 ":
            frame = part(data, at + 6, 4)
            return _number(frame[:2]) & 0x3FFF, _number(frame[2:]) & 0x3FFF
        case b"VP8L":
            bits = _number(part(data, at + 1, 4))
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            return 0, 0


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _write(out: io.BytesIO, name: bytes, content: bytes | memoryview) -> None:
    out.write(name + len(content).to_bytes(4, "little"))
    out.write(content)
    out.write(bytes(len(content) % 2))


def _finished(out: io.BytesIO, *, is_turned: bool) -> bytes:
    """Return the file with its length, and the flags of what it has now."""
    view = out.getbuffer()
    view[4:8] = (len(view) - 8).to_bytes(4, "little")
    first = bytes(view[_HEAD_BYTES : _HEAD_BYTES + 4])
    if first == b"VP8X":
        flags = view[_FLAGS_AT] & ~(_EXIF_FLAG | _XMP_FLAG)
        view[_FLAGS_AT] = flags | (_EXIF_FLAG if is_turned else 0)
    view.release()
    return out.getvalue()
