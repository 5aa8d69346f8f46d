"""Pictures made by hand: two sizes in one file, and words where no camera writes any."""

import io
import struct
import zlib

import pytest
from PIL import Image

from tests.files import pictures
from tests.files.pictures import PLACE, plain
from tests.files.test_images import fit, stripped
from vek1_api.core.errors import UnsupportedMediaTypeError, ValidationFailedError


def jpeg_with_small_frame_behind(sent: bytes) -> bytes:
    frame = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"
    return sent[:-2] + frame + sent[-2:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
        for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_canvas(width: int, height: int) -> tuple[bytes, bytes]:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", b"\x02\x00\x00\x00" + sides


def webp_pixels(width: int, height: int) -> tuple[bytes, bytes]:
    return b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)


def webp_frame(
    width: int, height: int, *chunks: tuple[bytes, bytes]
) -> tuple[bytes, bytes]:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"ANMF", bytes(6) + sides + bytes(4) + riff(*chunks)[12:]


def gif_with_frame(width: int, height: int, at: tuple[int, int] = (0, 0)) -> bytes:
    frame = b"," + struct.pack("<4HB", *at, width, height, 0) + b"\x02\x00"
    return plain("GIF")[:-1] + frame + b";"


def png_with_frame(width: int, height: int) -> bytes:
    sent = plain("PNG")
    data = b"fcTL" + struct.pack(">5I6x", 0, width, height, 0, 0)
    chunk = (len(data) - 4).to_bytes(4) + data + zlib.crc32(data).to_bytes(4)
    return sent[:33] + chunk + sent[33:]


@pytest.mark.parametrize(
    "content",
    [
        jpeg_with_small_frame_behind(pictures.jpeg_of(50_000, 50_000)),
        riff(webp_canvas(50_000, 50_000), webp_canvas(2, 2), webp_pixels(2, 2)),
        riff(webp_canvas(2, 2), webp_canvas(50_000, 50_000), webp_pixels(2, 2)),
        riff(webp_canvas(2, 2), webp_pixels(2, 2), webp_pixels(16_384, 16_384)),
        riff(webp_canvas(2, 2), webp_frame(50_000, 50_000, webp_pixels(2, 2))),
        riff(webp_canvas(2, 2), webp_frame(2, 2, webp_pixels(16_384, 16_384))),
        gif_with_frame(50_000, 50_000),
        gif_with_frame(2, 2, at=(50_000, 50_000)),
        png_with_frame(50_000, 50_000),
    ],
)
async def test_largest_of_the_sizes_that_a_picture_states_counts(content: bytes) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        await fit(content)

    assert [problem.code for problem in refused.value.errors] == ["image_too_large"]


@pytest.mark.parametrize(
    "content",
    [
        plain("PNG")[:33] + pictures.png_of(50_000, 50_000)[8:33] + plain("PNG")[33:],
        plain("GIF")[:-1] + pictures.gif_of(50_000, 50_000),
    ],
    ids=["PNG", "GIF"],
)
async def test_picture_with_a_second_header_is_refused(content: bytes) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        await fit(content)


@pytest.mark.parametrize(
    "marker", [0x02, 0xC8, 0xCC, 0xDC, 0xDE, 0xE5, 0xEF, *range(0xF0, 0xFF)]
)
async def test_segment_that_shows_nothing_goes(marker: int) -> None:
    sent = plain("JPEG")
    segment = bytes([0xFF, marker]) + (len(PLACE) + 2).to_bytes(2) + PLACE

    assert await stripped(sent[:2] + segment + sent[2:]) == sent


async def test_what_follows_the_colour_transform_goes() -> None:
    buffer = io.BytesIO()
    Image.effect_noise((40, 30), 60).convert("CMYK").save(buffer, "JPEG")
    sent = buffer.getvalue()
    at = sent.index(b"\xff\xee\x00\x0eAdobe")
    longer = sent[at + 4 : at + 16] + PLACE
    segment = b"\xff\xee" + (len(longer) + 2).to_bytes(2) + longer

    assert await stripped(sent[:at] + segment + sent[at + 16 :]) == sent


async def test_what_hides_in_a_frame_of_an_animation_goes() -> None:
    def animation(*hidden: tuple[bytes, bytes]) -> bytes:
        return riff(webp_canvas(2, 2), webp_frame(2, 2, *hidden, webp_pixels(2, 2)))

    assert await stripped(animation((b"EXIF", PLACE), (b"NOTE", PLACE))) == animation()
