"""Text and Markdown: bytes to clean characters."""

import codecs
import re
import unicodedata
from pathlib import Path

from vek1_api.documents.extractors.result import ExtractedText, bounded

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""Controls, soft hyphens, invisible spaces, byte order marks, lone surrogates."""

_LETTERS = str.maketrans(
    {
        "\xa0": " ",
        "\u202f": " ",
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
    }
)
"""No-break spaces and ligatures, which NFC leaves alone and no search would match."""


def extract(path: Path) -> ExtractedText:
    """Return the file's text as it is, decoded and cleaned."""
    return ExtractedText("".join(bounded([clean(decode(path.read_bytes()))])))


def decode(data: bytes) -> str:
    """Decode by byte order mark, else UTF-8, else CP1252 (which covers Latin-1's letters).

    A rule, not a guess: the same bytes always give the same text. UTF-8 with a stray bad
    byte stays UTF-8 when at least nine of ten non-ASCII characters are sound.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, errors="replace")
    text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    if bad and 10 * bad > len(text) - len(text.encode("ascii", "ignore")):
        return data.decode("cp1252", errors="replace").replace("\ufffd", "")
    return text


def clean(text: str) -> str:
    r"""Normalise to NFC with ``\n`` as the only line end; no NUL, control or surrogate."""
    text = _NEWLINES.sub("\n", text)
    text = _DROPPED.sub("", text).translate(_LETTERS)
    return unicodedata.normalize("NFC", text)
