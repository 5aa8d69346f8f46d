"""Numbers as merchants write them."""

from decimal import Decimal

import pytest

from vek1_api.imports.cells import CellError, guarded, money, unguarded, whole
from vek1_api.imports.numbers import Notation, decided, evidence

PRICE = money(Decimal("9999999.99"))
STOCK = whole(1_000_000_000)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.234,56", "1234.56"),
        ("1234.56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("R$ 1.234,56", "1234.56"),
        ("r$1.234,56", "1234.56"),
        ("R$\u00a01.234,56", "1234.56"),
        ("1234,5", "1234.50"),
        ("0,5", "0.50"),
        ("0.99", "0.99"),
        (" 10 ", "10.00"),
        ("+10", "10.00"),
        ("1.234.567", "1234567.00"),
        ("9.999.999,99", "9999999.99"),
        ("12,340", "12.34"),
        ("0", "0.00"),
    ],
)
def test_price_is_read_exactly(cell: str, amount: str) -> None:
    notation = evidence(cell) or Notation.COMMA

    assert PRICE(cell, notation) == amount


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("-1", "greater_than_equal"),
        ("R$ -0,01", "greater_than_equal"),
        ("-R$ 5", "greater_than_equal"),
        ("\u22125", "greater_than_equal"),
        ("10000000", "less_than_equal"),
        ("1,005", "decimal_max_places"),
        ("NaN", "number_parsing"),
        ("Infinity", "number_parsing"),
        ("1e5", "number_parsing"),
        ("grátis", "number_parsing"),
        ("--1", "number_parsing"),
        ("-R$ -1", "number_parsing"),
        ("1.23.456", "number_parsing"),
        ("1,2,3", "number_parsing"),
        ("1.234,567.8", "number_parsing"),
        (".5", "number_parsing"),
        ("5,", "number_parsing"),
        ("\u0661\u0662", "number_parsing"),
        ("1" * 41, "number_parsing"),
    ],
)
def test_price_that_is_none_is_refused(cell: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        PRICE(cell, Notation.COMMA)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("cell", "units"), [("10", 10), ("1.000", 1000), ("10,0", 10), ("1.000,00", 1000)]
)
def test_stock_is_read_as_whole_units(cell: str, units: int) -> None:
    assert STOCK(cell, Notation.COMMA) == units


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("10,5", "int_from_float"),
        ("-1", "greater_than_equal"),
        ("1000000001", "less_than_equal"),
    ],
)
def test_stock_that_is_no_count_is_refused(cell: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        STOCK(cell, Notation.COMMA)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("cell", "proven"),
    [
        ("1,5", Notation.COMMA),
        ("1.5", Notation.POINT),
        ("1.234,5", Notation.COMMA),
        ("1,234,567", Notation.POINT),
        ("0.234", Notation.POINT),
        ("1234.567", Notation.POINT),
        ("1.234", None),
        ("1,234", None),
        ("1234", None),
        ("nada", None),
    ],
)
def test_number_proves_its_notation_only_where_it_can(
    cell: str, proven: Notation | None
) -> None:
    assert evidence(cell) == proven


@pytest.mark.parametrize(
    ("proven", "delimiter", "notation"),
    [
        ({Notation.POINT}, ";", Notation.POINT),
        ({Notation.COMMA}, ",", Notation.COMMA),
        (set(), ";", Notation.COMMA),
        (set(), "\t", Notation.COMMA),
        (set(), ",", Notation.POINT),
        ({Notation.COMMA, Notation.POINT}, ";", Notation.UNCLEAR),
    ],
)
def test_numbers_of_a_file_decide_before_its_delimiter(
    proven: set[Notation], delimiter: str, notation: Notation
) -> None:
    assert decided(proven, delimiter) == notation


def test_number_that_could_be_two_is_judged_by_the_file() -> None:
    assert STOCK("1.234", Notation.COMMA) == 1234
    assert STOCK("1.000", Notation.POINT) == 1
    with pytest.raises(CellError) as refused:
        STOCK("1.234", Notation.UNCLEAR)
    assert refused.value.code == "ambiguous_number"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+55", "-5", "@cmd", "\tx", "\rx", "'=x", "''=x", "'plain", "it's", "", "a=b"],
)
def test_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    cell = guarded(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(cell) == text
