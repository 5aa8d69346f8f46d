"""Receipts as customers send them: the PDF of a bank's app, a screenshot, a photo."""

import io
import re
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A5
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONTS = sorted((Path(reportlab.__file__).parent / "fonts").glob("Vera*.ttf"))
_LINE, _COLUMN = 46, 520
_VERA = next(path for path in FONTS if path.stem == "Vera")


def pdf(text: str) -> bytes:
    """Return the text as a PDF whose text can be selected."""
    if "Vera" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Vera", str(_VERA)))
    target = io.BytesIO()
    canvas = Canvas(target, A5)
    canvas.setFont("Vera", 9)
    for number, line in enumerate(text.strip("\n").split("\n")):
        canvas.drawString(30, A5[1] - 40 - 14 * number, line)
    canvas.save()
    return target.getvalue()


def drawn(text: str, font: Path = _VERA) -> Image.Image:
    """Return the text as a phone's screen shows it."""
    lines = text.strip("\n").split("\n")
    picture = Image.new("RGB", (1080, 60 + _LINE * len(lines)), "white")
    draw = ImageDraw.Draw(picture)
    letters = ImageFont.truetype(str(font), 27)
    for number, line in enumerate(lines):
        for column, words in enumerate(re.split(r"\s{2,}", line)):
            place = (40 + _COLUMN * column, 30 + _LINE * number)
            draw.text(place, words, font=letters, fill=(30, 30, 40))
    return picture


def photo(text: str, kind: str = "JPEG", font: Path = _VERA) -> bytes:
    """Return the text as a picture file."""
    target = io.BytesIO()
    options = {"quality": 70} if kind in {"JPEG", "WEBP"} else {}
    drawn(text, font).save(target, kind, **options)
    return target.getvalue()


def scan(text: str) -> bytes:
    """Return the text as a PDF that holds nothing but a picture."""
    target = io.BytesIO()
    drawn(text).save(target, "PDF", resolution=150)
    return target.getvalue()
