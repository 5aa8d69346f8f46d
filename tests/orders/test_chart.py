"""The picture of the revenue: right, well-formed, and nothing in it overlaps."""

from collections.abc import Generator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import Element, fromstring

import pytest

from tests.browser import Browser, chromium
from tests.orders.shop import Shop, set_status
from vek1_api.core import clock
from vek1_api.core.db import Driver
from vek1_api.orders import chart
from vek1_api.orders.summary_schemas import SalesSummary

SVG = "{http://www.w3.org/2000/svg}"

OVERLAPS = """
const boxes = [...arguments[0].querySelectorAll(":scope > text")].map(
  (each) => ({text: each.textContent, box: each.getBBox()}));
const {width, height} = arguments[0].viewBox.baseVal;
const outside = boxes.filter(({box}) =>
  box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height);
const crossing = boxes.flatMap((one, place) => boxes.slice(place + 1).filter(({box}) =>
  box.x < one.box.x + one.box.width && one.box.x < box.x + box.width &&
  box.y < one.box.y + one.box.height && one.box.y < box.y + box.height));
return [...outside, ...crossing].map(({text}) => text);
"""


def summary_of(revenues: list[int], by: str = "day", **more: Any) -> SalesSummary:
    first = date(2026, 11, 1)
    days = [first + timedelta(place) for place in range(len(revenues))]
    sales = {"orders": 2, "average_ticket_cents": 100, "cancelled": 0}
    nothing: dict[str, Any] = {
        name: []
        for name in (
            "by_status",
            "by_method",
            "top_products_by_revenue",
            "top_products_by_quantity",
        )
    }
    return SalesSummary.model_validate(
        {
            "store_id": uuid4(),
            "time_zone": "America/Sao_Paulo",
            "from": days[0],
            "to": days[-1],
            "by": by,
            "revenue_cents": sum(revenues),
            "periods": [
                {"from": day, "to": day, "revenue_cents": cents, **sales}
                for day, cents in zip(days, revenues, strict=True)
            ],
            **sales,
            **nothing,
            **more,
        }
    )


def drawn(summary: SalesSummary) -> Element:
    return fromstring(chart.revenue(summary))  # noqa: S314 - Our own picture.


def texts(svg: Element) -> list[str]:
    return [str(each.text) for each in svg.findall(f"{SVG}text")]


async def test_the_chart_of_a_shop(shop: Shop, db: Driver) -> None:
    order = await shop.order()
    await set_status(db, order, "confirmed", confirmed_at=clock.now().replace(tzinfo=None))

    response = await shop.owner.request(
        "GET", f"/v1/stores/{shop.store_id}/sales-summary", params={"format": "svg"}
    )

    assert response.status_code == 200
    assert response.headers["content-type"] == "image/svg+xml"
    svg = fromstring(response.content)  # noqa: S314 - Our own picture.
    assert "R$ 5,00 em 1 pedido · ticket médio R$ 5,00" in texts(svg)


def test_bars_are_as_high_as_their_amounts_and_say_them() -> None:
    svg = drawn(summary_of([0, 100_000, 50_000]))

    bars = svg.findall(f"{SVG}rect[@class='bar']")
    assert [float(each.attrib["height"]) for each in bars] == [260, 130]
    assert [each.findtext(f"{SVG}title") for each in bars] == [
        "02/11/2026: R$ 1.000,00, 2 pedidos",
        "03/11/2026: R$ 500,00, 2 pedidos",
    ]


def test_a_reader_that_sees_nothing_is_told() -> None:
    svg = drawn(summary_of([0, 100_000, 50_000]))

    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"] == "title description"
    assert svg.findtext(f"{SVG}title[@id='title']") == (
        "Receita por dia, 01/11/2026 a 03/11/2026"
    )
    assert svg.findtext(f"{SVG}desc[@id='description']") == (
        "R$ 1.500,00 em 2 pedidos · ticket médio R$ 1,00. "
        "Maior valor: 02/11/2026: R$ 1.000,00, 2 pedidos. Fuso horário: America/Sao_Paulo."
    )


def test_texts_are_escaped() -> None:
    zone = "</desc><script>alert(1)</script>&"

    found = chart.revenue(summary_of([1], time_zone=zone))

    assert b"<script" not in found
    svg = fromstring(found)  # noqa: S314 - Our own picture.
    assert str(svg.findtext(f"{SVG}desc")).endswith(f"{zone}.")


def test_a_shop_that_sold_nothing_is_told_so() -> None:
    svg = drawn(summary_of([0, 0, 0], orders=0))

    assert texts(svg) == [
        "Receita por dia, 01/11/2026 a 03/11/2026",
        "R$ 0,00 em 0 pedidos",
        "R$ 0",
        "Nenhuma venda nestes dias",
        "01/11",
        "02/11",
        "03/11",
    ]


@pytest.mark.parametrize(
    ("most_cents", "lines"),
    [
        (1, ["R$ 0", "R$ 1"]),
        (350, ["R$ 0", "R$ 1", "R$ 2", "R$ 3", "R$ 4"]),
        (401, ["R$ 0", "R$ 2", "R$ 4", "R$ 6"]),
        (999_999, ["R$ 0", "R$ 5.000", "R$ 10 mil"]),
        (25_000_000, ["R$ 0", "R$ 100 mil", "R$ 200 mil", "R$ 300 mil"]),
        (500_000_000, ["R$ 0", "R$ 2 mi", "R$ 4 mi", "R$ 6 mi"]),
        (10**12, ["R$ 0", "R$ 5 bi", "R$ 10 bi"]),
    ],
)
def test_lines_are_at_round_amounts(most_cents: int, lines: list[str]) -> None:
    svg = drawn(summary_of([most_cents]))

    amounts = svg.findall(f"{SVG}text[@text-anchor='end']")
    assert [each.text for each in amounts] == lines


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.slow  # A browser starts.
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "revenues",
    [
        [0],
        [123_456],
        [0] * 29 + [250_000],
        [250_000] + [0] * 29,
        [each * 1_000 for each in range(366)],
        [9_999_999_999, 10**12],
    ],
)
def test_a_browser_shows_every_text_within_the_picture_and_clear_of_the_others(
    browser: Browser, tmp_path: Path, revenues: list[int]
) -> None:
    file = tmp_path / "chart.svg"
    file.write_bytes(chart.revenue(summary_of(revenues)))

    browser.open(file.as_uri())

    assert browser.run(OVERLAPS, "svg") == []
    assert browser.complaints() == []
