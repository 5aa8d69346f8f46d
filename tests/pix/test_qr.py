import re
from base64 import b64decode
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image

from tests.pix import golden
from vek1_api.pix import qr

SVG = "{http://www.w3.org/2000/svg}"


def decoded(png: bytes) -> list[str]:
    with Image.open(BytesIO(png)) as picture:
        return [found.text for found in zxingcpp.read_barcodes(picture.convert("L"))]


@pytest.mark.parametrize("text", golden.ALL)
def test_a_png_reads_back(text: str) -> None:
    assert decoded(qr.png(text)) == [text]


def test_a_data_uri_carries_the_same_png() -> None:
    kind, _, data = qr.png_data_uri(golden.CPF).partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(data, validate=True) == qr.png(golden.CPF)


def test_a_png_is_small_and_has_its_quiet_zone() -> None:
    png = qr.png(golden.CNPJ)
    assert len(png) < 2000
    with Image.open(BytesIO(png)) as picture:
        grey = picture.convert("L")
        modules = grey.width // qr.SCALE - 2 * qr.BORDER
        inked = grey.point(lambda shade: 255 - shade).getbbox()
    edge = qr.SCALE * qr.BORDER
    assert inked == (edge, edge, edge + modules * qr.SCALE, edge + modules * qr.SCALE)


def test_an_svg_draws_the_same_modules_as_the_png() -> None:
    root = ET.fromstring(qr.svg(golden.CPF, "PIX"))  # noqa: S314 - we made it.
    side = int(root.attrib["viewBox"].split()[-1])
    drawn = Image.new("L", (side, side), 255)
    for x, y, length in strokes(root.findall(f".//{SVG}path")[-1].attrib["d"]):
        drawn.paste(0, (x, y, x + length, y + 1))
    with Image.open(BytesIO(qr.png(golden.CPF))) as picture:
        expected = picture.convert("L").resize((side, side), Image.Resampling.NEAREST)
    assert drawn.tobytes() == expected.tobytes()


def test_an_svg_has_size_background_sharp_edges_and_an_escaped_title() -> None:
    root = ET.fromstring(qr.svg(golden.CPF, 'Pedido <42> & "PIX"'))  # noqa: S314 - we made it.
    side = int(root.attrib["viewBox"].split()[-1]) * qr.SCALE
    assert root.attrib["width"] == root.attrib["height"] == str(side)
    assert root.attrib["shape-rendering"] == "crispEdges"
    assert root.findtext(f"{SVG}title") == 'Pedido <42> & "PIX"'
    assert root.findall(f"{SVG}path")[0].attrib["fill"] == "#fff"


def test_a_text_beyond_any_qr_code_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        qr.png("x" * 3000)


def strokes(path: str) -> list[tuple[int, int, int]]:
    """Return x, y and length of each line: segno writes M, m and h, halves of y for middles."""
    x, y, found = 0.0, 0.0, []
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", path):
        values = [float(each) for each in re.findall(r"-?[0-9]*\.?[0-9]+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            found.append((int(x), int(y), int(values[0])))
            x += values[0]
    return found
