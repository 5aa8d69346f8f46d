"""PNG: chunks, each a length, a name, its data and a checksum."""

import io
import zlib
from collections.abc import Iterator

from vek1_api.files.image_formats import exif
from vek1_api.files.image_formats.picture import BrokenImageError, Picture, bounded, part

_SIGNATURE_BYTES = 8
_HEADER_BYTES = 13
_NEEDED = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST pHYs sPLT cICP mDCV cLLI"
    b" acTL fcTL fdAT".split()
)
"""The picture, its transparency, its colours, the size of a dot, and animation."""


def strip(data: bytes) -> Picture:
    """Return the picture with its colours and orientation, up to its end."""
    width, height = _size(data)
    out = io.BytesIO()
    out.write(data[:_SIGNATURE_BYTES])
    turned = exif.UPRIGHT
    for name, start, end in bounded(_chunks(data)):
        if name == b"fcTL":
            across, down = _reach(part(data, start + 12, 16))
            width, height = max(width, across), max(height, down)
        if name in _NEEDED:
            out.write(memoryview(data)[start:end])
        elif name == b"eXIf" and turned == exif.UPRIGHT:
            turned = exif.orientation(data[start + 8 : end - 4])
            if turned != exif.UPRIGHT:
                out.write(_chunk(name, exif.only_orientation(turned)))
    return Picture(width, height, out.getvalue())


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk up to the last, where it starts and ends."""
    start, name = _SIGNATURE_BYTES, b""
    while name != b"IEND":
        head = part(data, start, 8)
        name = head[4:]
        if name == b"IHDR" and start != _SIGNATURE_BYTES:
            # Some decoders believe the last.
            message = "it has two headers"
            raise BrokenImageError(message)
        end = start + 12 + int.from_bytes(head[:4])
        if end > len(data):
            message = f"the chunk at byte {start} is cut"
            raise BrokenImageError(message)
        yield name, start, end
        start = end


def _size(data: bytes) -> tuple[int, int]:
    head = part(data, _SIGNATURE_BYTES, 8 + _HEADER_BYTES)
    width, height = int.from_bytes(head[8:12]), int.from_bytes(head[12:16])
    if head[:8] != _HEADER_BYTES.to_bytes(4) + b"IHDR" or not width or not height:
        message = "it has no header with a size"
        raise BrokenImageError(message)
    return width, height


def _reach(frame: bytes) -> tuple[int, int]:
    """Return how far a frame of an animation goes to the right and down."""
    across, down, left, top = (int.from_bytes(frame[at : at + 4]) for at in range(0, 16, 4))
    return left + across, top + down


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content).to_bytes(4)
    return len(content).to_bytes(4) + name + content + checksum
