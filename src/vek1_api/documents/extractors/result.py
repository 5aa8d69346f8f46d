"""What an extractor hands back: text with its pages, or an error with a stable code."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

MAX_CHARS = 5_000_000
"""Characters of text taken from one file; a book of 2,000 pages has about 4 million."""


class PageSpan(NamedTuple):
    """Where a page, counted from 1, lies in the text: ``text[start:end]``."""

    number: int
    start: int
    end: int


class ExtractedText(NamedTuple):
    """The text of a file; ``pages`` is null when the kind of file has none."""

    text: str
    pages: tuple[PageSpan, ...] | None = None


class ExtractionCode(StrEnum):
    """Why a file gave no text. Stored and public: never rename one."""

    NO_TEXT = "no_text"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    UNSUPPORTED = "unsupported"


MESSAGES = {
    ExtractionCode.NO_TEXT: "The file holds no readable text; it may be a scan or a "
    "picture. Upload a version whose text can be selected, or paste the text instead.",
    ExtractionCode.ENCRYPTED: "The file is protected by a password. Save a copy without "
    "the password and upload that.",
    ExtractionCode.CORRUPT: "The file is damaged and cannot be read. Open it on your "
    "computer, save it again and upload the new file.",
    ExtractionCode.TOO_MANY_PAGES: "The file has more pages than are read. Split it and "
    "upload the parts.",
    ExtractionCode.TOO_LARGE: "The file unpacks to more text than is read. Split it and "
    "upload the parts.",
    ExtractionCode.TIMEOUT: "Reading the file took too long. Split it, or save it in a "
    "simpler form (plain text, CSV), and upload that.",
    ExtractionCode.OUT_OF_MEMORY: "Reading the file needs too much memory. Split it, or "
    "save it without pictures, and upload that.",
    ExtractionCode.UNSUPPORTED: "Files of this kind cannot be read here. Upload a PDF, "
    "DOCX, CSV, text or Markdown file.",
}


class ExtractionError(Exception):
    """The file gives no text; its owner can act on ``message``.

    ``detail`` is for the log: what the library or the system said.
    """

    def __init__(
        self, code: ExtractionCode, message: str | None = None, *, detail: str | None = None
    ) -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        self.detail = detail
        super().__init__(self.message)


def bounded(parts: Iterable[str]) -> Iterator[str]:
    """Pass ``parts`` on, or raise ``too_large`` once they exceed ``MAX_CHARS``."""
    room = MAX_CHARS
    for part in parts:
        room -= len(part)
        if room < 0:
            raise ExtractionError(
                ExtractionCode.TOO_LARGE,
                f"The file holds more than {MAX_CHARS:,} characters of text. Split it and "
                "upload the parts.",
            )
        yield part
