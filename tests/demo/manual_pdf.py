"""Lay out the manual of the demo shop's espresso machine as a PDF."""

import io
from collections.abc import Callable
from typing import Any

from reportlab import platypus
from reportlab.graphics import shapes
from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import (
    stringWidth,
)
from reportlab.platypus.tableofcontents import (
    TableOfContents,
)

from tests.demo.blocks import Block, blocks

NAVY, BLUE, MIST, COPPER, INK = map(
    HexColor, ("#16324F", "#4A7BA6", "#EAF0F6", "#B4622A", "#1E252B")
)
NOTES = {  # The first word of a note, and the colours of its bar and ground.
    "PERIGO": (HexColor("#B3261E"), HexColor("#FBEAE9")),
    "ATENÇÃO": (HexColor("#C77700"), HexColor("#FDF3E1")),
    "DICA": (HexColor("#2E7D5B"), HexColor("#E8F4EE")),
}
MARGIN = 16 * mm
WIDTH = A5[0] - 2 * MARGIN
CELL_PADDING = 5


def _style(name: str, size: float, **more: Any) -> Any:
    given = {"fontName": "Helvetica", "leading": size * 1.38, "textColor": INK} | more
    return ParagraphStyle(name, fontSize=size, **given)


BOLD = {"fontName": "Helvetica-Bold"}
TITLE = _style("title", 17, textColor=NAVY, spaceBefore=7 * mm, spaceAfter=3 * mm, **BOLD)
HEADING = _style(
    "heading",
    11,
    textColor=BLUE,
    spaceBefore=3.2 * mm,
    spaceAfter=1.6 * mm,
    keepWithNext=1,
    **BOLD,
)
TEXT = _style("text", 9.3, spaceAfter=2.2 * mm)
NOTE = _style("note", 8.8)
CELL = _style("cell", 8.2)
HEAD = _style("head", 8.2, textColor=white, **BOLD)
LIST = _style("list", 9.3)


def _title(block: Block) -> list[Any]:
    rule = platypus.HRFlowable(WIDTH, 1.2, color=COPPER, spaceBefore=0, spaceAfter=4 * mm)
    room = platypus.CondPageBreak(70 * mm)  # A chapter does not begin at a page's foot.
    return [room, platypus.Paragraph(block.lines[0], TITLE), rule]


def _note(block: Block) -> list[Any]:
    word, _, rest = " ".join(block.lines).partition(":")
    bar, ground = NOTES[word]
    text = f'<font color="{bar.hexval().replace("0x", "#")}"><b>{word}</b></font>:{rest}'
    box = platypus.Table([[platypus.Paragraph(text, NOTE)]], colWidths=[WIDTH])
    box.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), ground),
            ("LINEBEFORE", (0, 0), (0, -1), 3, bar),
            ("LEFTPADDING", (0, 0), (-1, -1), 9),
            ("TOPPADDING", (0, 0), (-1, -1), 5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
        ]
    )
    return [platypus.Spacer(1, 1 * mm), box, platypus.Spacer(1, 3 * mm)]


def _list(block: Block) -> list[Any]:
    is_numbered = block.kind == "number"
    items = [
        platypus.ListItem(platypus.Paragraph(line, LIST), spaceAfter=1 * mm)
        for line in block.lines
    ]
    marks = {"bulletType": "1", "bulletFormat": "%s."} if is_numbered else {"start": "•"}
    flow = platypus.ListFlowable(
        items,
        **({"bulletType": "bullet"} | marks),
        bulletColor=COPPER,
        bulletFontName="Helvetica-Bold",
        bulletFontSize=9.3,
        leftIndent=13,
    )
    return [flow, platypus.Spacer(1, 1.6 * mm)]


def _column_widths(rows: list[list[str]]) -> list[float]:
    """Give every column its longest word, and share the rest by the longest cell."""
    columns = list(zip(*rows, strict=True))
    words = [
        max(_width(word) for cell in column for word in cell.split()) for column in columns
    ]
    least = [word + 2 * CELL_PADDING + 1 for word in words]
    wishes = [min(max(map(len, column)), 46) for column in columns]
    spare = WIDTH - sum(least)
    return [a + spare * w / sum(wishes) for a, w in zip(least, wishes, strict=True)]


def _width(word: str) -> float:
    return float(stringWidth(word, HEAD.fontName, HEAD.fontSize))


def _table(block: Block) -> list[Any]:
    head, *body = block.rows
    cells = [[platypus.Paragraph(cell, HEAD) for cell in head]]
    cells += [[platypus.Paragraph(cell, CELL) for cell in row] for row in body]
    table = platypus.Table(cells, colWidths=_column_widths(block.rows), repeatRows=1)
    table.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), NAVY),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), [white, MIST]),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, HexColor("#C9D5E1")),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), CELL_PADDING),
            ("RIGHTPADDING", (0, 0), (-1, -1), CELL_PADDING),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ]
    )
    return [table, platypus.Spacer(1, 3.5 * mm)]


def _figure(_: Block) -> list[Any]:
    """Draw the machine from the front, with the numbers of the table below it."""
    steel, shade = HexColor("#D5DCE3"), HexColor("#AEBAC6")
    drawing = shapes.Drawing(WIDTH, 52 * mm)
    body = shapes.Group(
        shapes.Rect(0, 0, 120, 12, rx=4, fillColor=NAVY, strokeColor=None),
        shapes.Rect(4, 12, 112, 4, fillColor=shade, strokeColor=None),
        shapes.Rect(96, 16, 20, 66, fillColor=steel, strokeColor=None),
        shapes.Rect(0, 74, 120, 50, rx=6, fillColor=steel, strokeColor=None),
        shapes.Rect(6, 98, 108, 20, rx=3, fillColor=NAVY, strokeColor=None),
        shapes.Rect(8, 124, 104, 5, fillColor=shade, strokeColor=None),
        *(
            shapes.Circle(16 + 11 * i, 108, 3.4, fillColor=white, strokeColor=None)
            for i in range(5)
        ),
        shapes.Circle(98, 108, 8, fillColor=white, strokeColor=COPPER, strokeWidth=1.6),
        shapes.Line(98, 108, 102, 113, strokeColor=COPPER, strokeWidth=1.4),
        shapes.Rect(30, 66, 40, 10, rx=2, fillColor=shade, strokeColor=None),
        shapes.Rect(26, 56, 48, 9, rx=3, fillColor=NAVY, strokeColor=None),
        shapes.Rect(-8, 57, 36, 6, rx=3, fillColor=COPPER, strokeColor=None),
        shapes.Line(46, 56, 43, 48, strokeColor=NAVY, strokeWidth=3),
        shapes.Line(54, 56, 57, 48, strokeColor=NAVY, strokeWidth=3),
        shapes.Rect(36, 16, 28, 18, rx=4, fillColor=white, strokeColor=BLUE),
        shapes.Line(84, 74, 88, 34, strokeColor=shade, strokeWidth=3.5),
        shapes.Circle(122, 86, 7, fillColor=COPPER, strokeColor=None),
        shapes.Rect(126, 30, 16, 92, rx=3, fillColor=HexColor("#CFE3F2"), strokeColor=BLUE),
    )
    body.translate(WIDTH / 2 - 66, 6)
    drawing.add(body)
    targets = [
        (20, 127),
        (10, 108),
        (98, 108),
        (34, 71),
        (-4, 60),
        (86, 50),
        (122, 86),
        (14, 8),
        (136, 60),
    ]
    labels = [
        (-40, 134),
        (-40, 108),
        (172, 122),
        (-40, 83),
        (-40, 58),
        (172, 40),
        (172, 92),
        (-40, 12),
        (172, 66),
    ]
    for number, ((x, y), (to_x, to_y)) in enumerate(zip(targets, labels, strict=True), 1):
        callout = shapes.Group(
            shapes.Line(x, y, to_x, to_y, strokeColor=INK, strokeWidth=0.6),
            shapes.Circle(to_x, to_y, 7, fillColor=COPPER, strokeColor=white),
            shapes.String(
                to_x,
                to_y - 3,
                str(number),
                fontName="Helvetica-Bold",
                fontSize=8.5,
                textAnchor="middle",
                fillColor=white,
            ),
        )
        callout.translate(WIDTH / 2 - 66, 6)
        drawing.add(callout)
    return [drawing, platypus.Spacer(1, 3 * mm)]


RENDER: dict[str, Callable[[Block], list[Any]]] = {
    "title": _title,
    "heading": lambda block: [platypus.Paragraph(block.lines[0], HEADING)],
    "text": lambda block: [platypus.Paragraph(" ".join(block.lines), TEXT)],
    "note": _note,
    "bullet": _list,
    "number": _list,
    "table": _table,
    "figure": _figure,
}


def _cover(canvas: Any, _: Any) -> None:
    wide, tall = A5
    canvas.setFillColor(NAVY)
    canvas.rect(0, 0, wide, tall, stroke=0, fill=1)
    ridges = [
        ("#23486B", 190, (70, 20, 95, 40, 110)),
        ("#35648F", 130, (30, 80, 25, 70, 15)),
        ("#4A7BA6", 70, (55, 15, 60, 20, 65)),
    ]
    for colour, foot, peaks in ridges:
        path = canvas.beginPath()
        path.moveTo(0, 0)
        for step, peak in enumerate(peaks):
            path.lineTo(wide * step / (len(peaks) - 1), foot + peak)
        path.lineTo(wide, 0)
        canvas.setFillColor(HexColor(colour))
        canvas.drawPath(path, stroke=0, fill=1)
    canvas.setFillColor(COPPER)
    canvas.rect(MARGIN, tall - 62 * mm, 18 * mm, 1.4 * mm, stroke=0, fill=1)
    lines = [
        ("Helvetica-Bold", 38, 48, "Aurora 20 bar"),
        ("Helvetica", 16, 74, "Máquina de espresso com vaporizador"),
        ("Helvetica-Bold", 13, 90, "Manual do usuário"),
        ("Helvetica", 9.5, 192, "Serra Azul Cafeteria & Torrefação · Belo Horizonte"),
        ("Helvetica", 9.5, 198, "Edição 3, março de 2026"),
    ]
    canvas.setFillColor(white)
    for font, size, from_top, text in lines:
        canvas.setFont(font, size)
        canvas.drawString(MARGIN, tall - from_top * mm, text)


def _footer(canvas: Any, document: Any) -> None:
    canvas.setStrokeColor(HexColor("#C9D5E1"))
    canvas.line(MARGIN, 14 * mm, A5[0] - MARGIN, 14 * mm)
    canvas.setFillColor(BLUE)
    canvas.setFont("Helvetica", 7.5)
    canvas.drawString(MARGIN, 9.5 * mm, "Aurora 20 bar · Manual do usuário")
    canvas.drawRightString(A5[0] - MARGIN, 9.5 * mm, f"Página {document.page}")


def make_manual(source: str) -> bytes:
    """Return the manual: A5, a cover, a table of contents, page numbers in the footer."""
    target = io.BytesIO()
    # The template pads its frame by 6 points more on each side.
    document = platypus.SimpleDocTemplate(
        target,
        pagesize=A5,
        leftMargin=MARGIN - 6,
        rightMargin=MARGIN - 6,
        topMargin=15 * mm,
        bottomMargin=18 * mm,
        title="Aurora 20 bar: manual do usuário",
        author="Serra Azul",
        lang="pt-BR",
        invariant=1,
    )

    def tell_contents(flowable: Any) -> None:
        if getattr(flowable, "style", None) is TITLE and flowable.text != "Sumário":
            document.notify("TOCEntry", (0, flowable.text, document.page))

    document.afterFlowable = tell_contents
    contents = TableOfContents(
        dotsMinLevel=0, levelStyles=[_style("entry", 10, leading=20)]
    )
    story = [platypus.PageBreak(), *_title(Block("title", ("Sumário",))), contents]
    story.append(platypus.PageBreak())
    for block in blocks(source):
        story += RENDER[block.kind](block)
    story.insert(0, platypus.Spacer(1, 1))  # A page needs something on it: the cover.
    document.multiBuild(story, onFirstPage=_cover, onLaterPages=_footer)
    return target.getvalue()
