"""The text of a stored file, or the reason why it has none.

An extractor runs libraries over bytes from strangers: call it through
:mod:`vek1_api.documents.sandbox`, which bounds its memory and time.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from vek1_api.documents.extractors.result import (
    MAX_CHARS,
    ExtractedText,
    ExtractionCode,
    ExtractionError,
    PageSpan,
)
from vek1_api.files.filetypes import FileType

__all__ = [
    "MAX_CHARS",
    "ExtractedText",
    "ExtractionCode",
    "ExtractionError",
    "PageSpan",
    "extract",
]

_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def extract(path: Path, file_type: FileType) -> ExtractedText:
    r"""Return the clean text of the file, with its pages if it is a PDF.

    The text is NFC with ``\n`` line ends and free of control characters; it holds at
    least one letter or digit and at most ``MAX_CHARS`` characters. Raises
    :class:`ExtractionError`, also for whatever a library makes of a damaged file.
    """
    try:
        extracted = _extractor(file_type)(path)
    except ExtractionError:
        raise
    except MemoryError as error:
        raise ExtractionError(ExtractionCode.OUT_OF_MEMORY) from error
    except ImportError as error:
        raise ExtractionError(ExtractionCode.UNSUPPORTED, detail=str(error)) from error
    except Exception as error:  # A library may raise anything over rubbish.
        raise ExtractionError(ExtractionCode.CORRUPT, detail=repr(error)) from error
    if not _LETTER_OR_DIGIT.search(extracted.text):
        raise ExtractionError(ExtractionCode.NO_TEXT)
    return extracted


def _extractor(file_type: FileType) -> Callable[[Path], ExtractedText]:
    """Import what the kind of file needs, and nothing else: start-up is paid per file."""
    # ruff: noqa: PLC0415
    match file_type:
        case FileType.PDF:
            from vek1_api.documents.extractors import pdf

            return pdf.extract
        case FileType.DOCX:
            from vek1_api.documents.extractors import word

            return word.extract
        case FileType.CSV:
            from vek1_api.documents.extractors import spreadsheet

            return spreadsheet.extract
        case FileType.TEXT | FileType.MARKDOWN:
            from vek1_api.documents.extractors import plain

            return plain.extract
        case FileType.JPEG | FileType.PNG | FileType.GIF | FileType.WEBP:
            return _no_text
        case _:
            assert_never(file_type)


def _no_text(_path: Path) -> ExtractedText:
    """Stand in for the reading of pictures, which has no text to give."""
    return ExtractedText("")
