"""The one thing in Exif that a viewer needs: which way up the picture is.

Exif is a TIFF file without a picture: a byte order, then entries of 12 bytes.
"""

import struct

UPRIGHT = 1
_TURNED = range(2, 9)
_ORIENTATION = 0x0112
_SHORT = 3
_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}


def orientation(tiff: bytes) -> int:
    """Return the orientation, 1 to 8; upright where it is not said or cannot be read."""
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(count):
            tag, kind, _, value = struct.unpack_from(
                f"{order}HHIH", tiff, at + 2 + 12 * entry
            )
            if tag == _ORIENTATION:
                return value if kind == _SHORT and value in _TURNED else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def only_orientation(value: int) -> bytes:
    """Return Exif that says nothing but the orientation."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, value, 0)
    return b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
