"""A bar chart of the revenue as SVG: no script, no font, no address to load anything from.

Elements are built and not pasted together, so every text is escaped. It is drawn for light and
for dark surroundings; each bar says its period and amount, to a pointer and to a screen reader.
"""

from datetime import date
from itertools import cycle
from xml.etree.ElementTree import Element, SubElement, tostring

from vek1_api.core.money import shown
from vek1_api.orders.summary_schemas import By, SalesPeriod, SalesSummary

WIDTH, HEIGHT = 960, 420
LEFT, RIGHT, TOP, BOTTOM = 104, 936, 104, 364
"""Where the bars are."""

MOST_LABELS = 12
WIDEST_BAR = 56
BAR_SHARE = 0.72
"""Of a period's width; the rest is air."""

DIGIT_WIDTH = 8
"""At most, of an amount over a bar."""

LEAST_STEP_CENTS = 100
STEPS_WANTED = 4

MONTHS = (
    "jan",
    "fev",
    "mar",
    "abr",
    "mai",
    "jun",
    "jul",
    "ago",
    "set",
    "out",
    "nov",
    "dez",
)
SHORT = ((10**11, 10**11, "bi"), (10**8, 10**8, "mi"), (10**6, 10**5, "mil"))
"""From how many cents on an amount is written short, in which unit."""

PERIODS = {By.DAY: "dia", By.WEEK: "semana", By.MONTH: "mês"}

STYLE = """
svg { --ink: #1c2430; --soft: #5c6675; --line: #e3e7ee; --bar: #2f6fde; --back: #ffffff;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #eef1f6; --soft: #9aa5b5; --line: #2b3442; --bar: #6ea2ff; --back: #141a23; } }
.back { fill: var(--back); }
.line { stroke: var(--line); stroke-width: 1; }
.base { stroke: var(--soft); stroke-width: 1; }
.bar { fill: var(--bar); }
.bar:hover { fill: var(--ink); }
text { fill: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
.title { fill: var(--ink); font-size: 19px; font-weight: 600; }
.total { fill: var(--ink); font-size: 15px; }
.most { fill: var(--ink); font-weight: 600; }
"""


def revenue(summary: SalesSummary) -> bytes:
    """Return the chart of a summary's periods, in Brazilian Portuguese."""
    title = f"Receita por {PERIODS[summary.by]}, {_range(summary.from_, summary.to)}"
    total = f"{shown(summary.revenue_cents)} em {_orders(summary.orders)}"
    if summary.orders:
        total += f" · ticket médio {shown(summary.average_ticket_cents)}"
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "width": str(WIDTH),
            "height": str(HEIGHT),
            "lang": "pt-BR",
            "role": "img",
            "aria-labelledby": "title description",
        },
    )
    SubElement(svg, "title", id="title").text = title
    SubElement(svg, "desc", id="description").text = _description(summary, total)
    SubElement(svg, "style").text = STYLE
    back = {"class": "back", "width": str(WIDTH), "height": str(HEIGHT), "rx": "12"}
    SubElement(svg, "rect", back)
    _text(svg, 24, 40, title, kind="title")
    _text(svg, 24, 66, total, kind="total")
    highest = _scale(svg, max(each.revenue_cents for each in summary.periods))
    _bars(svg, summary, highest)
    if not summary.revenue_cents:
        nothing = "Nenhuma venda nestes dias"
        _text(svg, (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, nothing, anchor="middle")
    _labels(svg, summary)
    drawn: bytes = tostring(svg, encoding="utf-8", xml_declaration=True)
    return drawn


def nice_step(most_cents: int) -> int:
    """Return the distance of the lines: 1, 2 or 5 times a power of ten, whole reais."""
    step = LEAST_STEP_CENTS
    for factor in cycle((2, 2.5, 2)):
        if step * STEPS_WANTED >= most_cents:
            break
        step = int(step * factor)
    return step


def _scale(svg: Element, most_cents: int) -> int:
    """Draw the lines and their amounts; return the amount at the top."""
    step = nice_step(most_cents)
    highest = -(-most_cents // step) * step
    for amount in range(0, highest + 1, step):
        y = _height(amount, highest)
        kind = "line" if amount else "base"
        ends = {"x1": str(LEFT), "x2": str(RIGHT), "y1": y, "y2": y}
        SubElement(svg, "line", {"class": kind} | ends)
        _text(svg, LEFT - 12, float(y) + 4, _short(amount), anchor="end")
    return highest


def _bars(svg: Element, summary: SalesSummary, highest: int) -> None:
    width = (RIGHT - LEFT) / len(summary.periods)
    bar = min(width * BAR_SHARE, WIDEST_BAR)
    best = max(summary.periods, key=lambda each: each.revenue_cents)
    for place, each in enumerate(summary.periods):
        if not each.revenue_cents:
            continue
        middle = LEFT + width * (place + 0.5)
        y = _height(each.revenue_cents, highest)
        box = {
            "x": f"{middle - bar / 2:.2f}",
            "y": y,
            "width": f"{bar:.2f}",
            "height": f"{BOTTOM - float(y):.2f}",
            "rx": f"{min(3, bar / 4):.2f}",
        }
        drawn = SubElement(svg, "rect", {"class": "bar"} | box)
        SubElement(drawn, "title").text = _said(each)
        if each is best:
            amount = shown(each.revenue_cents)
            # An amount is wider than a bar; at the edges it would leave the picture.
            half = len(amount) * DIGIT_WIDTH / 2
            x = min(max(middle, LEFT + half), RIGHT - half)
            _text(svg, x, float(y) - 8, amount, anchor="middle", kind="most")


def _labels(svg: Element, summary: SalesSummary) -> None:
    count = len(summary.periods)
    width, every = (RIGHT - LEFT) / count, -(-count // MOST_LABELS)
    for place in range(0, count, every):
        label = _label(summary.by, summary.periods[place].from_)
        x = LEFT + width * (place + 0.5)
        _text(svg, x, BOTTOM + 24, label, anchor="middle")


def _height(amount_cents: int, highest_cents: int) -> str:
    return f"{BOTTOM - (BOTTOM - TOP) * amount_cents / max(highest_cents, 1):.2f}"


def _short(amount_cents: int) -> str:
    """Return the amount of a line, which is whole reais: ``R$ 1.500``, ``R$ 2,5 mi``."""
    for least, unit, name in SHORT:
        if amount_cents >= least:
            number = f"{amount_cents / unit:.1f}".removesuffix(".0").replace(".", ",")
            return f"R$ {number} {name}"
    return shown(amount_cents).removesuffix(",00")


def _text(
    svg: Element, x: float, y: float, text: str, *, anchor: str = "start", kind: str = ""
) -> None:
    where = {"x": f"{x:.2f}", "y": f"{y:.2f}", "text-anchor": anchor}
    SubElement(svg, "text", where | ({"class": kind} if kind else {})).text = text


def _label(by: By, first: date) -> str:
    if by is By.MONTH:
        return f"{MONTHS[first.month - 1]}/{first:%y}"
    return f"{first:%d/%m}"


def _said(period: SalesPeriod) -> str:
    days = _range(period.from_, period.to)
    return f"{days}: {shown(period.revenue_cents)}, {_orders(period.orders)}"


def _range(first: date, last: date) -> str:
    if first == last:
        return f"{first:%d/%m/%Y}"
    return f"{first:%d/%m/%Y} a {last:%d/%m/%Y}"


def _orders(count: int) -> str:
    return "1 pedido" if count == 1 else f"{count:,} pedidos".replace(",", ".")


def _description(summary: SalesSummary, total: str) -> str:
    best = max(summary.periods, key=lambda each: each.revenue_cents)
    maximum = f" Maior valor: {_said(best)}." if best.revenue_cents else ""
    return f"{total}.{maximum} Fuso horário: {summary.time_zone}."
