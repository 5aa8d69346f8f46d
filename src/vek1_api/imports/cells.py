"""What a cell may hold, and what it means.

A reader takes the text of a cell that is not empty, and the notation of the file's numbers. It
returns what becomes JSON, or raises ``CellError``.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from vek1_api.core.inputs import JsonObject
from vek1_api.imports.numbers import (
    AmbiguousNumberError,
    NotANumberError,
    Notation,
    decimal,
)

Reader = Callable[[str, Notation], str | int]

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_CENT = Decimal("0.01")
_JSON_OBJECT: TypeAdapter[Any] = TypeAdapter(JsonObject)


class CellError(ValueError):
    """A cell cannot be what its column holds."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; ``unguarded`` undoes it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """Return what was guarded, and any other cell as it is."""
    return cell[1:] if _GUARDED.match(cell) else cell


def text(kind: Any) -> Reader:
    """Return the reader of a text that ``kind`` (of ``core.inputs``) accepts."""
    adapter: TypeAdapter[str] = TypeAdapter(kind)

    def read(cell: str, _notation: Notation) -> str:
        return str(_validated(adapter, cell))

    return read


def word(kind: Any) -> Reader:
    """Return the reader of a text round which blanks mean nothing."""
    read = text(kind)
    return lambda cell, notation: read(cell.strip(), notation)


def uuid(cell: str, _notation: Notation) -> str:
    """Read an id."""
    try:
        return str(UUID(cell.strip()))
    except ValueError as error:
        code, message = "uuid_parsing", "This is not an id; leave it empty for a new row."
        raise CellError(code, message) from error


def money(largest: Decimal) -> Reader:
    """Return the reader of an amount from 0 to ``largest``, exact to the cent."""

    def read(cell: str, notation: Notation) -> str:
        amount = _number(cell, notation)
        if amount % _CENT:
            code, message = "decimal_max_places", "Use at most two decimal places."
            raise CellError(code, message)
        return str(_within(amount, largest).quantize(_CENT))

    return read


def whole(largest: int) -> Reader:
    """Return the reader of a whole number from 0 to ``largest``; ``10,0`` is one."""

    def read(cell: str, notation: Notation) -> int:
        number = _number(cell, notation)
        if number % 1:
            code, message = "int_from_float", "Use a whole number."
            raise CellError(code, message)
        return int(_within(number, Decimal(largest)))

    return read


def json_object(cell: str, _notation: Notation) -> str:
    """Read a JSON object; it stays the text that it is, so that no number changes."""
    try:
        value = json.loads(cell, object_pairs_hook=_without_repeats, parse_float=_decimal)
    except (ValueError, RecursionError) as error:
        code, message = "json_invalid", 'Use a JSON object, such as {"cor": "azul"}.'
        raise CellError(code, message) from error
    _validated(_JSON_OBJECT, value)
    return cell.strip()


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a repeated key Postgres would read a value that nobody judged."""
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "a key is there twice"
        raise ValueError(message)
    return found


def _decimal(token: str) -> float:
    """Return a number with decimals; one too small for a float may be so for Postgres."""
    value = float(token)
    if value == 0 and token.lower().partition("e")[0].strip("-0."):
        message = "a number is out of range"
        raise ValueError(message)
    return value


def _validated(adapter: TypeAdapter[Any], value: Any) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise CellError(found[0]["type"], found[0]["msg"]) from error


def _number(cell: str, notation: Notation) -> Decimal:
    try:
        return decimal(cell, notation)
    except NotANumberError as error:
        code, message = "number_parsing", "Use a number, such as 1.234,56 or 1234.56."
        raise CellError(code, message) from error
    except AmbiguousNumberError as error:
        code = "ambiguous_number"
        message = (
            "The file has numbers with decimal commas and with decimal points, so this may "
            "be thousands or decimals; write it without the mark, or with decimals."
        )
        raise CellError(code, message) from error


def _within(number: Decimal, largest: Decimal) -> Decimal:
    if number < 0:
        code, message = "greater_than_equal", "Use a number that is not negative."
        raise CellError(code, message)
    if number > largest:
        code, message = "less_than_equal", f"Use a number up to {largest}."
        raise CellError(code, message)
    return number
