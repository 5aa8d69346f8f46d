"""Files for the tests of documents, good and bad, each made in a few milliseconds."""

import io
import struct
import zipfile
from collections.abc import Callable, Sequence

import docx
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(16)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(16)
GIF = b"GIF89a" + bytes(16)
WEBP = b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(16)
WINDOWS_PROGRAM = b"MZ\x90\x00\x03" + bytes(60) + b"PE\x00\x00"

BODY_SIZE = 11
LINE_STEP = 14


def pdf(
    *pages: Sequence[str], password: str | None = None, footer: str | None = None
) -> bytes:
    """Return a PDF; a line starting with ``#`` is set large, an empty one leaves a gap."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, encrypt=password)
    for number, lines in enumerate(pages, 1):
        y = 780.0
        for line in lines:
            is_heading = line.startswith("#")
            canvas.setFont("Helvetica", 18 if is_heading else BODY_SIZE)
            canvas.drawString(72, y, line.lstrip("# "))
            y -= 2 * LINE_STEP if is_heading else LINE_STEP
        if footer:
            canvas.setFont("Helvetica", BODY_SIZE)
            canvas.drawString(72, 40, footer.format(number))
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pdf_with_pages(count: int) -> bytes:
    """Return a PDF of empty pages, written by hand: thousands of them take no time."""
    kids = " ".join(f"{number} 0 R" for number in range(3, 3 + count))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {count}/Kids[{kids}]>>",
        *["<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] * count,
    ]
    content, offsets = b"%PDF-1.4\n", []
    parts = [content]
    at = len(content)
    for number, body in enumerate(objects, 1):
        part = f"{number} 0 obj{body}endobj\n".encode()
        offsets.append(at)
        at += len(part)
        parts.append(part)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    parts.append(f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode())
    parts.append(f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF".encode())
    return b"".join(parts)


def docx_file(write: Callable[[docx.document.Document], object]) -> bytes:
    """Return the .docx that ``write`` makes of an empty document."""
    document = docx.Document()
    write(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def docx_with_body(body_xml: bytes) -> bytes:
    """Return a .docx whose ``word/document.xml`` is ``body_xml``."""
    source = zipfile.ZipFile(io.BytesIO(docx_file(lambda _: None)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(
                name, body_xml if name == "word/document.xml" else source.read(name)
            )
    return buffer.getvalue()


def word_xml(body: str, doctype: str = "") -> bytes:
    """Return the XML of a Word document with ``body`` inside."""
    namespaces = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<w:document {namespaces}>'
        f"<w:body>{body}</w:body></w:document>"
    ).encode()


def zip_bomb(size: int = 64 * 1024 * 1024) -> bytes:
    """Return a .docx of a few kilobytes that unpacks to ``size`` blanks."""
    return docx_with_body(word_xml(" " * size))


def lying_zip_bomb() -> bytes:
    """Return a ``zip_bomb`` whose list of members declares a kilobyte."""
    size = 64 * 1024 * 1024
    xml = word_xml(" " * size)
    bomb = docx_with_body(xml)
    return bomb.replace(struct.pack("<I", len(xml)), struct.pack("<I", 1024))


def billion_laughs() -> bytes:
    """Return a .docx whose entities would expand to a billion words."""
    entities = "".join(
        f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10)
    )
    doctype = f'<!DOCTYPE w:document [<!ENTITY l0 "lol">{entities}]>'
    return docx_with_body(word_xml("<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>", doctype))
