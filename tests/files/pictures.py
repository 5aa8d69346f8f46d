"""Real pictures for the tests, with what cameras and editors write into them."""

import io
import struct
import zlib

from PIL import Image, PngImagePlugin

PLACE = b"GPS 19d55m S 43d56m W"
"""What must never be public."""

COLOURS = b"a colour profile, as far as the container knows"


def exif(orientation: int | None) -> bytes:
    """Return Exif with a place, and an orientation if there is one."""
    data = Image.Exif()
    if orientation is not None:
        data[0x0112] = orientation
    data[0x010F] = PLACE.decode()
    data[0x010E] = PLACE.decode()
    return data.tobytes()


def picture(
    kind: str, *, orientation: int | None = 6, size: tuple[int, int] = (40, 30)
) -> bytes:
    """Return a picture of 40 x 30 pixels that says in every way it has where it was taken."""
    image = Image.effect_noise(size, 60).convert("P" if kind == "GIF" else "RGB")
    options: dict[str, object] = {}
    if kind == "GIF":
        options = {"comment": PLACE}
    elif kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Location", PLACE.decode())
        info.add_text("Zipped", PLACE.decode(), zip=True)
        info.add_itxt("XML:com.adobe.xmp", PLACE.decode())
        options = {"exif": exif(orientation), "pnginfo": info, "icc_profile": COLOURS}
    else:
        options = {"exif": exif(orientation), "xmp": PLACE, "icc_profile": COLOURS}
    if kind == "JPEG":
        options |= {"comment": PLACE, "progressive": True}
    if kind == "WEBP":
        options |= {"lossless": True}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(kind: str) -> bytes:
    """Return a picture that has nothing to hide."""
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(buffer, kind)
    return buffer.getvalue()


def pixels(content: bytes) -> bytes:
    """Return what is seen, before it is turned."""
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGBA").tobytes()


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that states a size; of its rows there is one."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    row = zlib.compress(bytes(1 + (width + 7) // 8))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", row)
        + chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    """Return a JPEG that states a size which its data do not have."""
    content = plain("JPEG")
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def gif_of(width: int, height: int) -> bytes:
    """Return a GIF whose screen is so large."""
    content = plain("GIF")
    return content[:6] + struct.pack("<HH", width, height) + content[10:]


def webp_of(width: int, height: int) -> bytes:
    """Return a WebP whose canvas is so large."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + plain("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body
