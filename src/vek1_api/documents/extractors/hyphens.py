"""Words that a PDF broke at the end of a line, put together as Portuguese writes them."""

import re
from collections.abc import Sequence

BROKEN = "\ufffe"
"""What PDFium gives for a hyphen at the end of a line, together with the line end."""

_WORD = re.compile(r"\w+(?:-\w+)*")
_BREAK = re.compile(rf"(?<![\w-])([\w-]*+)[{BROKEN}\xad](?:\r?\n)?(?=([\w-]*))")

_CLITIC = re.compile(
    r"(?:[áêíôi]-l[oa]s?|(?:m|ão|õe)-n[oa]s?|\w\w[aeiourmz]-(?:se|lhes?)|-[oa]s?|-feiras?)$"
)
"""Pronouns after what a verb may end in (``vende-se``, not ``clas-se``), and weekdays."""

_PREFIXES = frozenset(("além", "aquém", "bem", "e", "pós", "pré", "pró", "recém", "vice"))
"""Without ``ex`` and ``sem``, with which too many other words begin."""


def join(texts: Sequence[str]) -> list[str]:
    """Return ``texts`` with broken words whole.

    The hyphen stays where the rest of the document writes the word with one, between
    codes (``AB-1234``), before a pronoun and after prefixes that keep it; else it goes.
    """
    if not any(BROKEN in text or "\xad" in text for text in texts):
        return list(texts)
    known = {word.lower() for text in texts for word in _WORD.findall(text)}

    def whole(match: re.Match[str]) -> str:
        left, right = match[1], match[2]
        return left + ("-" if _keeps_hyphen(left, right, known) else "")

    return [_BREAK.sub(whole, text) for text in texts]


def _keeps_hyphen(left: str, right: str, known: set[str]) -> bool:
    if not left or not right or not (left[-1].islower() and right[0].islower()):
        return True
    hyphened = f"{left}-{right}".lower()
    if hyphened in known or f"{left}{right}".lower() in known:
        return hyphened in known
    return left.lower() in _PREFIXES or _CLITIC.search(hyphened) is not None
