"""GIF: a screen with a palette, then frames and extensions made of sub-blocks."""

import io
from collections.abc import Iterator

from vek1_api.files.image_formats.picture import BrokenImageError, Picture, bounded, part

_HEAD_BYTES = 13
_FRAME_BYTES = 10
_EXTENSION, _FRAME, _END = b"!", b",", b";"
_CONTROL = 0xF9
_APPLICATION = 0xFF
_NEEDED_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
"""Loops, and the colour profile."""


def strip(data: bytes) -> Picture:
    """Return the frames with their palettes, timing and loops, up to the end."""
    head = part(data, 0, _HEAD_BYTES)
    width, height = _size(head, 6)
    at = _HEAD_BYTES + _palette_bytes(head[10])
    out = io.BytesIO()
    out.write(data[:at])
    frames = 0
    for start, end in bounded(_blocks(data, at)):
        if data[start : start + 1] == _FRAME:
            frame = part(data, start, _FRAME_BYTES)
            left, top = _size(frame, 1)
            across, down = _size(frame, 5)
            width, height = max(width, left + across), max(height, top + down)
            frames += 1
        if _is_needed(data, start):
            out.write(memoryview(data)[start:end])
    if not frames or not width or not height:
        message = "it has no frame with a size"
        raise BrokenImageError(message)
    return Picture(width, height, out.getvalue())


def _blocks(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each block starts and ends, up to the trailer, which some leave out."""
    while at < len(data):
        start, kind = at, data[at : at + 1]
        if kind == _END:
            yield start, start + 1
            return
        if kind == _FRAME:
            flags = part(data, start, _FRAME_BYTES)[9]
            at = start + _FRAME_BYTES + _palette_bytes(flags) + 1
        elif kind == _EXTENSION:
            at = start + 2
        else:
            message = f"there is no block at byte {start}"
            raise BrokenImageError(message)
        at = _after_sub_blocks(data, at)
        yield start, at


def _after_sub_blocks(data: bytes, at: int) -> int:
    while size := part(data, at, 1)[0]:
        at += 1 + size
    return at + 1


def _is_needed(data: bytes, start: int) -> bool:
    if data[start : start + 1] != _EXTENSION:
        return True
    label = data[start + 1]
    if label == _APPLICATION:
        return data[start + 3 : start + 14] in _NEEDED_APPLICATIONS
    return label == _CONTROL


def _size(data: bytes, at: int) -> tuple[int, int]:
    return int.from_bytes(data[at : at + 2], "little"), int.from_bytes(
        data[at + 2 : at + 4], "little"
    )


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 0b111) + 1) if flags & 0x80 else 0
