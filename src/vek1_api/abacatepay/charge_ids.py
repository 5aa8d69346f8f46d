"""The two spellings of a charge's id."""

_PREFIXES = ("pix_char_", "char_")


def spellings(charge_id: str) -> tuple[str, ...]:
    """Return the id as it stands, then its other spelling, if it has one.

    A charge is made as ``pix_char_…``; the documented events call it ``char_…``.
    """
    for prefix, other in (_PREFIXES, _PREFIXES[::-1]):
        if charge_id.startswith(prefix):
            return (charge_id, other + charge_id.removeprefix(prefix))
    return (charge_id,)
