"""Money: an integer of cents inside; reais only where the front end stores or shows them."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

LARGEST_PRICE = 9_999_999.99
"""In reais; so many cents fit an ``integer`` column twice over."""

_CENT = Decimal("0.01")


def cents(reais: float | Decimal) -> int:
    """Return an amount of reais in cents, half a cent rounded up (decisions).

    A float is taken as the shortest decimal that means it, as Postgres prints it: 0.285 is
    29 cents, though its binary value is a little less.
    """
    exact = reais if isinstance(reais, Decimal) else Decimal(repr(reais))
    return int(exact.quantize(_CENT, ROUND_HALF_UP).scaleb(2))


def _to_the_cent(reais: float) -> float:
    if Decimal(repr(reais)) % _CENT:
        message = "must have at most two decimal places"
        raise ValueError(message)
    return reais


Price = Annotated[
    float,
    Field(
        strict=True,
        ge=0,
        le=LARGEST_PRICE,
        allow_inf_nan=False,
        description="Reais, to the cent.",
        examples=[29.9],
    ),
    AfterValidator(_to_the_cent),
]
"""A price in reais, as ``products.price`` holds it: the one exception to cents."""


def shown(amount_cents: int) -> str:
    """Return an amount as a Brazilian reads it: ``R$ 1.234,56``."""
    reais, rest = divmod(amount_cents, 100)
    return f"R$ {reais:,}".replace(",", ".") + f",{rest:02}"
