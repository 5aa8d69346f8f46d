"""The identifier of a manual PIX, by which a bank statement names the order."""

import re

LARGEST_ORDER_NUMBER = 10**22 - 1
"""What 25 characters can hold behind ``VEK``."""

_TXID = re.compile(r"VEK([0-9]{6,22})", re.IGNORECASE)


def txid_of(order_number: int) -> str:
    """Return an order's txid, such as ``VEK000042``.

    The number is decimal and not base 32, though that is shorter: a merchant reads it in a
    statement and looks for the order by it. Six places line up, and let it be told from a
    number that a customer made up.
    """
    if not 0 < order_number <= LARGEST_ORDER_NUMBER:
        message = "is not the number of an order"
        raise ValueError(message)
    return f"VEK{order_number:06d}"


def order_number_of(txid: str) -> int | None:
    """Return the order that a txid names, in either case; none if it is not of our making."""
    match = _TXID.fullmatch(txid)
    number = int(match[1]) if match else 0
    return number if number and txid_of(number) == txid.upper() else None
