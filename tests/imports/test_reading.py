"""Files as they come: encodings, delimiters, headers, rows."""

import io
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from tests.imports.files import table
from vek1_api.core.errors import FieldError, PayloadTooLargeError, ValidationFailedError
from vek1_api.core.inputs import Name
from vek1_api.imports import cells
from vek1_api.imports.columns import Column, Header
from vek1_api.imports.judging import judged
from vek1_api.imports.numbers import Notation
from vek1_api.imports.reading import Sheet, open_sheet

HEADER = Header(
    (
        Column("name", ("nome",), cells.text(Name)),
        Column("price", ("preço",), cells.money(Decimal(100)), is_number=True),
        Column("code", ("código",), cells.text(Name), is_unique=True),
    )
)


def opened(content: str | bytes) -> Sheet:
    data = content.encode() if isinstance(content, str) else content
    return open_sheet(io.BytesIO(data), HEADER)


def rows(content: str | bytes) -> list[tuple[int, dict[str, Any]]]:
    return [(row.number, row.values) for row in judged(opened(content))]


def refusal(content: str | bytes) -> list[FieldError]:
    with pytest.raises(ValidationFailedError) as refused:
        opened(content)
    return list(refused.value.errors)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-1"]
)
def test_every_encoding_is_read(encoding: str) -> None:
    content = "Nome;Preço\nPão de açúcar;1,50\n".encode(encoding)

    assert rows(content) == [(1, {"name": "Pão de açúcar", "price": "1.50"})]


def test_utf_16_of_either_order_is_read() -> None:
    text = "\ufeffnome\nPão\n"

    assert rows(text.encode("utf-16-be")) == rows(text.encode("utf-16-le"))
    assert rows(text.encode("utf-16-be")) == [(1, {"name": "Pão"})]


def test_bytes_that_windows_does_not_know_are_latin_1() -> None:
    assert rows(b"nome\nP\xe3o \x81\n") == [(1, {"name": "Pão \x81"})]


def test_file_that_breaks_the_encoding_of_its_mark_is_refused() -> None:
    assert refusal(b"\xef\xbb\xbfnome\nP\xe3o\n")[0].code == "invalid_encoding"


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_every_delimiter_is_found_by_the_header(delimiter: str) -> None:
    content = table(("nome", "preço"), ("Pão; ou, bolo", "2"), delimiter="\0")
    content = content.replace("Pão; ou, bolo", '"Pão; ou, bolo"').replace("\0", delimiter)

    assert rows(content) == [(1, {"name": "Pão; ou, bolo", "price": "2.00"})]


def test_hint_of_excel_is_believed_and_is_no_row() -> None:
    assert rows("sep=,\nnome,preço\nPão,2\n") == [(1, {"name": "Pão", "price": "2.00"})]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cells_with_line_breaks_and_quotes_are_one_cell(end: str) -> None:
    content = f'nome;preço{end}"Pão{end}""da casa""";2'

    assert rows(content) == [(1, {"name": f'Pão{end}"da casa"', "price": "2.00"})]


@pytest.mark.parametrize("name", ["NOME", " Nome ", "nome (do produto)", "Nôme", "name"])
def test_header_is_known_in_any_spelling(name: str) -> None:
    assert rows(f"{name}\nPão\n") == [(1, {"name": "Pão"})]


def test_blank_rows_are_skipped_and_numbers_are_those_of_a_spreadsheet() -> None:
    content = "\n\nnome;preço\nPão;1\n\n;;;\n  ;\nBolo;2\n\n"

    assert [number for number, _ in rows(content)] == [1, 5]


def test_empty_cells_at_the_end_are_no_cells() -> None:
    assert rows("nome;preço;;\nPão;1;;;\nBolo\n") == [
        (1, {"name": "Pão", "price": "1.00"}),
        (2, {"name": "Bolo"}),
    ]


def test_file_with_a_header_only_has_no_rows() -> None:
    assert rows("nome;preço\n") == []


def test_every_column_that_cannot_be_is_named_at_once() -> None:
    errors = refusal("nome;Preço de custo;name;;preço\nPão;1;2;3;4\n")

    assert [(error.pointer, error.code) for error in errors] == [
        ("/file/columns/Preço de custo", "unknown_column"),
        ("/file/columns/name", "duplicate_column"),
        ("/file/columns/4", "unknown_column"),
    ]
    assert "price or preço" in errors[0].message
    assert errors[1].message == "'nome' is name already."


@pytest.mark.parametrize("content", ["Pão;1,50\nBolo;2\n", "\n\n", "a,b,c\n1,2,3\n"])
def test_file_without_a_header_is_refused(content: str) -> None:
    [error] = refusal(content)

    assert (error.pointer, error.code) == ("/file", "missing_header")
    assert "name or nome" in error.message


@pytest.mark.parametrize("content", ['nome\n"Pão\nBolo\n', 'nome;preço\n"Pão"doce;1\n'])
def test_broken_quotes_are_refused_with_their_line(content: str) -> None:
    [error] = refusal(content)

    assert (error.pointer, error.code) == ("/file", "malformed_csv")
    assert "line " in error.message


def test_quotes_inside_a_cell_are_just_quotes() -> None:
    assert rows('nome;preço\nTubo 12" PVC;1\n') == [
        (1, {"name": 'Tubo 12" PVC', "price": "1.00"})
    ]


def test_row_with_too_many_cells_and_bad_ones_has_all_its_errors() -> None:
    [bad, good] = judged(opened(f"nome;preço\n{'x' * 201};-1;sobra\nPão;2\n"))

    assert [(error.pointer, error.code) for error in bad.errors] == [
        ("/name", "string_too_long"),
        ("/price", "greater_than_equal"),
        ("", "too_many_cells"),
    ]
    assert (good.errors, good.values) == ([], {"name": "Pão", "price": "2.00"})


def test_second_row_with_the_same_code_names_the_first() -> None:
    found = list(judged(opened("código;nome\nA1;Pão\nA2;Bolo\nA1;Torta\n")))

    assert [len(row.errors) for row in found] == [0, 0, 1]
    error = found[2].errors[0]
    assert (error.pointer, error.code) == ("/code", "duplicate")
    assert error.message == "Row 1 has the same code."


def test_one_decimal_point_decides_for_the_whole_file() -> None:
    sheet = opened("nome;preço\nPão;1.234\nBolo;1.50\n")

    assert sheet.notation == Notation.POINT
    assert [len(row.errors) for row in judged(sheet)] == [1, 0]


def test_cell_of_a_million_characters_is_the_error_of_its_row() -> None:
    [long, good] = judged(opened(f"nome\n{'x' * 1_000_000}\nPão\n"))

    assert [error.code for error in long.errors] == ["string_too_long"]
    assert good.values == {"name": "Pão"}


def test_file_with_too_many_rows_says_what_to_do() -> None:
    with pytest.raises(PayloadTooLargeError) as refused:
        opened("nome\n" + "Pão\n" * 50_001)

    assert "50000 rows; split it" in refused.value.detail


def test_rows_are_judged_one_by_one_and_not_kept() -> None:
    line = f"{'x' * 190};1\n"
    content = io.BytesIO(("nome;preço\n" + line * 10_000).encode())
    tracemalloc.start()
    try:
        sheet = open_sheet(content, HEADER)
        count = sum(1 for _ in judged(sheet))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 10_000
    assert peak < 1024 * 1024
