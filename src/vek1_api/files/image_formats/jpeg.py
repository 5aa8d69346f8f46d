"""JPEG: segments, each a marker and its length, with the picture's data between them."""

import io
import re
from collections.abc import Iterator

from vek1_api.files.image_formats import exif
from vek1_api.files.image_formats.picture import BrokenImageError, Picture, bounded, part

_JFIF, _APP1, _ICC, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_END = 0xD9
_SCAN = 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB})
_HUFFMAN, _QUANTIZATION, _RESTARTS = 0xC4, 0xDB, 0xDD
_NEEDED = _FRAMES | {_HUFFMAN, _QUANTIZATION, _RESTARTS, _SCAN, _END}
_NEEDED_APPS = {_JFIF: b"JFIF\x00", _ICC: b"ICC_PROFILE\x00", _ADOBE: b"Adobe"}
"""Size of a dot, colour profile, colour transform: the APPs that change what is seen."""

_JFIF_BYTES = 16
_ADOBE_BYTES = 14
_EXIF = b"Exif\x00\x00"
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""In a scan's data ``FF 00`` is a byte, and ``FF D0`` to ``FF D7`` restart the decoder."""


def strip(data: bytes) -> Picture:
    """Return the picture with its colours and orientation, up to its end: phones append more."""
    out = io.BytesIO()
    out.write(data[:2])
    width = height = 0
    turned = exif.UPRIGHT
    for marker, start, end in bounded(_segments(data)):
        if marker in _FRAMES:
            # The largest of them: which one is shown is up to the viewer.
            down, across = _size(data, start)
            height, width = max(height, down), max(width, across)
        if marker == _APP1 and turned == exif.UPRIGHT:
            turned = _orientation(data[start + 4 : end])
            if turned != exif.UPRIGHT:
                out.write(_exif_segment(turned))
        elif _is_needed(marker, data[start + 4 : start + 16]):
            out.write(_without_more(marker, memoryview(data)[start:end]))
    if not width or not height:
        message = "it has no frame with a size"
        raise BrokenImageError(message)
    return Picture(width, height, out.getvalue())


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment, where it starts and ends; a scan has its data with it.

    Bytes between two segments are passed over, as decoders do.
    """
    at = 2
    while found := _MARKER.search(data, at):
        marker, start, at = found[1][0], found.start(), found.end()
        if marker not in _ALONE:
            at += max(int.from_bytes(part(data, at, 2)), 2)
        if at > len(data):
            message = f"the segment at byte {start} is cut"
            raise BrokenImageError(message)
        if marker == _SCAN:
            following = _MARKER.search(data, at)
            at = following.start() if following else len(data)
        yield marker, start, at
        if marker == _END:
            return


def _size(data: bytes, start: int) -> tuple[int, int]:
    frame = part(data, start + 5, 4)
    return int.from_bytes(frame[:2]), int.from_bytes(frame[2:])


def _orientation(content: bytes) -> int:
    is_exif = content.startswith(_EXIF)
    return exif.orientation(content[len(_EXIF) :]) if is_exif else exif.UPRIGHT


def _exif_segment(turned: int) -> bytes:
    content = _EXIF + exif.only_orientation(turned)
    return b"\xff\xe1" + (len(content) + 2).to_bytes(2) + content


def _is_needed(marker: int, beginning: bytes) -> bool:
    name = _NEEDED_APPS.get(marker)
    return marker in _NEEDED or (name is not None and beginning.startswith(name))


def _without_more(marker: int, segment: memoryview) -> bytes | memoryview:
    """Return a segment without what may follow in it.

    The small picture at the end of JFIF may be of what was cut away.
    """
    if marker == _JFIF and len(segment) > _JFIF_BYTES + 2:
        return b"\xff\xe0" + _JFIF_BYTES.to_bytes(2) + bytes(segment[4:16]) + bytes(2)
    if marker == _ADOBE and len(segment) > _ADOBE_BYTES + 2:
        return b"\xff\xee" + _ADOBE_BYTES.to_bytes(2) + bytes(segment[4:16])
    return segment
