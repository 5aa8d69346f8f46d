"""Public pictures: their pixels stay, what they say about people goes."""

import contextlib
import io
import random
import time
import tracemalloc

import pytest
from PIL import Image

from tests.files import pictures
from tests.files.pictures import COLOURS, PLACE, picture, pixels, plain
from vek1_api.core.errors import UnsupportedMediaTypeError, ValidationFailedError
from vek1_api.files.filetypes import FileType
from vek1_api.files.images import fit_for_all
from vek1_api.files.incoming import IncomingFile, judge

KINDS = ["JPEG", "PNG", "GIF", "WEBP"]
MEGABYTE = 1024 * 1024


async def fit(content: bytes) -> IncomingFile:
    stream = io.BytesIO(content)
    file = await judge(stream, "foto", max_bytes=11 * MEGABYTE)
    return await fit_for_all(file)


async def stripped(content: bytes) -> bytes:
    file = await fit(content)
    made = file.stream.read()
    assert file.size_bytes == len(made)
    return made


@pytest.mark.parametrize("kind", KINDS)
async def test_place_goes_and_pixels_stay(kind: str) -> None:
    sent = picture(kind)
    assert PLACE in sent

    made = await stripped(sent)

    assert PLACE not in made
    assert len(made) < len(sent)
    assert pixels(made) == pixels(sent)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [None, 1, 2, 3, 6, 8])
async def test_orientation_and_colours_stay(kind: str, orientation: int | None) -> None:
    made = await stripped(picture(kind, orientation=orientation))

    with Image.open(io.BytesIO(made)) as image:
        image.load()
        expected = {} if orientation in {None, 1} else {0x0112: orientation}
        assert dict(image.getexif()) == expected
        assert image.info["icc_profile"] == COLOURS
        assert "xmp" not in image.info
        assert image.size == (40, 30)


async def test_exif_in_the_other_byte_order_is_understood() -> None:
    tiff = (
        b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x03\x00\x00\x00"
    )
    content = b"Exif\x00\x00" + tiff + bytes(4)
    segment = b"\xff\xe1" + (len(content) + 2).to_bytes(2) + content
    sent = plain("JPEG")

    made = await stripped(sent[:2] + segment + sent[2:])

    with Image.open(io.BytesIO(made)) as image:
        assert dict(image.getexif()) == {0x0112: 3}


@pytest.mark.parametrize(
    "tiff",
    [
        b"",
        b"II*\x00",
        b"MM\x00*\xff\xff\xff\xff",
        b"MM\x00*\x00\x00\x00\x08\xff\xff",
        b"XX*\x00\x00\x00\x00\x08\x00\x01",
        b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x63\x00\x00",
    ],
)
async def test_exif_that_is_nonsense_goes_too(tiff: bytes) -> None:
    content = b"Exif\x00\x00" + tiff
    segment = b"\xff\xe1" + (len(content) + 2).to_bytes(2) + content
    sent = plain("JPEG")

    assert await stripped(sent[:2] + segment + sent[2:]) == sent


@pytest.mark.parametrize("kind", KINDS)
async def test_picture_with_nothing_to_hide_stays_as_it_is(kind: str) -> None:
    sent = plain(kind)

    assert await stripped(sent) == sent
    assert await stripped(await stripped(sent)) == sent


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_appended_goes(kind: str) -> None:
    sent = plain(kind)

    assert await stripped(sent + picture("JPEG")) == sent


async def test_animation_keeps_its_frames_and_loops() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(
            buffer, kind, save_all=True, append_images=frames[1:], duration=90, loop=3
        )

        with Image.open(io.BytesIO(await stripped(buffer.getvalue()))) as image:
            assert image.n_frames == 3  # type: ignore[attr-defined]
            assert image.info["loop"] in {3, 2}
            image.seek(2)
            shown = image.convert("RGB").getpixel((0, 0))
            assert isinstance(shown, tuple)
            assert shown[2] == 255


async def test_colours_of_a_printers_jpeg_stay() -> None:
    buffer = io.BytesIO()
    Image.effect_noise((40, 30), 60).convert("CMYK").save(buffer, "JPEG")

    made = await stripped(buffer.getvalue())

    with Image.open(io.BytesIO(made)) as image:
        assert (image.mode, image.info["adobe_transform"]) == ("CMYK", 0)
    assert pixels(made) == pixels(buffer.getvalue())


async def test_small_picture_inside_a_jpeg_goes() -> None:
    """An editor that cuts a picture may leave the whole of it in there."""
    jfif = b"JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x08\x08" + PLACE.ljust(192)
    segment = b"\xff\xe0" + (len(jfif) + 2).to_bytes(2) + jfif
    sent = plain("JPEG")
    rest = sent[2 + 18 :]

    made = await stripped(sent[:2] + segment + rest)

    assert PLACE not in made
    assert pixels(made) == pixels(sent)


@pytest.mark.parametrize(
    "content",
    [
        pictures.png_of(50_000, 50_000),
        pictures.jpeg_of(50_000, 50_000),
        pictures.gif_of(50_000, 50_000),
        pictures.webp_of(50_000, 50_000),
        pictures.png_of(20_001, 1),
        pictures.png_of(1, 20_001),
        pictures.png_of(10_000, 5_001),
    ],
)
async def test_picture_of_too_many_pixels_is_refused_at_no_cost(content: bytes) -> None:
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(ValidationFailedError) as refused:
            await fit(content)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    [problem] = refused.value.errors
    assert (problem.pointer, problem.code) == ("/file", "image_too_large")
    assert time.monotonic() - began < 1
    assert peak_bytes < 4 * MEGABYTE


@pytest.mark.parametrize(
    "content",
    [pictures.png_of(20_000, 2_500), pictures.jpeg_of(8_000, 6_250)],
)
async def test_picture_of_just_so_many_pixels_is_taken(content: bytes) -> None:
    assert (await fit(content)).size_bytes == len(content)


@pytest.mark.parametrize("kind", KINDS)
async def test_picture_that_is_cut_is_refused_or_tells_nothing(kind: str) -> None:
    sent = picture(kind)
    for size in range(12, len(sent), 7):
        made = b""
        with contextlib.suppress(UnsupportedMediaTypeError):
            made = await stripped(sent[:size])
        assert PLACE not in made


@pytest.mark.parametrize("kind", KINDS)
async def test_picture_with_any_bytes_wrong_is_refused_or_taken(kind: str) -> None:
    sent, dice = picture(kind), random.Random(7)  # noqa: S311 - The same every time.
    for _ in range(200):
        broken = bytearray(sent)
        for _ in range(3):
            broken[dice.randrange(12, len(broken))] = dice.randrange(256)
        with contextlib.suppress(UnsupportedMediaTypeError, ValidationFailedError):
            await fit(bytes(broken))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(16),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(16),
        b"GIF89a" + bytes(16),
        b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(16),
        pictures.png_of(0, 5),
        pictures.jpeg_of(5, 0),
    ],
)
async def test_header_without_a_picture_is_refused(content: bytes) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        await fit(content)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0\x00\x02" + b"\xff" * (10 * MEGABYTE) + b"\x00",
        b"\xff\xd8" + b"\xff\xe1\x00\x02" * (10 * MEGABYTE // 4),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
        + bytes(9)
        + b"\x00\x00\x00\x00tEXt\x00\x00\x00\x00" * (10 * MEGABYTE // 12),
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00" + b"!\xfe\x00" * (10 * MEGABYTE // 3),
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00!\xfe" + b"\x01a" * (5 * MEGABYTE),
        b"RIFF\xff\xff\xff\x00WEBP" + b"XMP \x00\x00\x00\x00" * (10 * MEGABYTE // 8),
    ],
    ids=["fill bytes", "segments", "chunks", "blocks", "sub-blocks", "riff"],
)
async def test_ten_megabytes_of_nothing_cost_no_more_than_they_are(content: bytes) -> None:
    began = time.monotonic()

    with pytest.raises(UnsupportedMediaTypeError):
        await fit(content)

    assert time.monotonic() - began < 5


async def test_other_kinds_of_file_stay_as_they_are() -> None:
    file = await judge(io.BytesIO(b"a;b\n1;2\n"), "a.csv", max_bytes=100)

    assert await fit_for_all(file) is file
    assert file.file_type is FileType.CSV
