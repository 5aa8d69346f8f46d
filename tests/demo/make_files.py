"""Make the demo shop's PDF, DOCX and CSV from the plain texts in ``source/``.

Run by hand from the checkout's root after an edit, then commit what changed::

    python -m tests.demo.make_files

Needs reportlab and python-docx. The same sources give the same bytes. The FAQ, the
grinding guide and the page about the shop are their own sources and are not touched.
"""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Cm, Pt, RGBColor

from tests.demo.blocks import blocks
from tests.demo.manual_pdf import make_manual

HERE = Path(__file__).parent
SOURCE = HERE / "source"
FILES = HERE.parents[1] / "src" / "vek1_api" / "demo" / "files"


def make_price_list() -> bytes:
    """Return the price list as an ERP in Brazil exports it: Latin-1 with CRLF."""
    text = (SOURCE / "tabela-de-precos.csv").read_text("utf-8")
    return text.replace("\n", "\r\n").encode("latin-1")


def make_policy() -> bytes:
    """Return the returns policy as Word writes it: styles, a list, tables, a footer."""
    document = Document()
    document.core_properties.author = "Serra Azul"
    document.core_properties.title = "Política de trocas e devoluções"
    document.core_properties.language = "pt-BR"
    document.core_properties.created = datetime(2026, 3, 1, 12, tzinfo=UTC)
    document.core_properties.modified = datetime(2026, 3, 1, 12, tzinfo=UTC)
    document.styles["Normal"].font.name = "Calibri"
    document.styles["Normal"].font.size = Pt(11)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    footer = section.footer.paragraphs[0]
    footer.text = "Serra Azul · Política de trocas e devoluções · versão de março de 2026"
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    styles = {
        "title": "Title",
        "heading": "Heading 1",
        "bullet": "List Bullet",
        "number": "List Number",
        "text": "Normal",
    }
    source = (SOURCE / "politica-de-trocas-e-devolucoes.md").read_text("utf-8")
    for block in blocks(source):
        if block.kind == "table":
            _word_table(document, block.rows)
            continue
        for line in block.lines:
            document.add_paragraph(line, style=styles[block.kind])
    target = io.BytesIO()
    document.save(target)
    return _without_clock(target.getvalue())


def _word_table(document: Any, rows: list[list[str]]) -> None:
    table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    for cell in table.rows[0].cells:
        shading = f'<w:shd {nsdecls("w")} w:val="clear" w:fill="16324F"/>'
        cell._tc.get_or_add_tcPr().append(parse_xml(shading))  # noqa: SLF001  # No API.
        run = cell.paragraphs[0].runs[0]
        run.bold, run.font.color.rgb = True, RGBColor(255, 255, 255)


def _without_clock(archive: bytes) -> bytes:
    """Pack the archive again with ZIP's first date: equal content is then equal bytes."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    return target.getvalue()


if __name__ == "__main__":
    (FILES / "manual-aurora-20-bar.pdf").write_bytes(
        make_manual((SOURCE / "manual.md").read_text("utf-8"))
    )
    (FILES / "politica-de-trocas-e-devolucoes.docx").write_bytes(make_policy())
    (FILES / "tabela-de-precos.csv").write_bytes(make_price_list())
