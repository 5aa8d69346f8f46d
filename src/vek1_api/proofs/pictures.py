"""Reading the text of pictures: an optional part, behind a port of ours.

``make install-ocr`` adds RapidOCR, whose wheel holds its models: it works with no internet, on
a processor. Without it photos are kept all the same, and the merchant looks at them.
"""

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from typing_extensions import override

from vek1_api.documents.extraction import ExtractionError
from vek1_api.documents.sandbox import extract_in_sandbox
from vek1_api.files.filetypes import FileType
from vek1_api.proofs.errors import UnreadableError
from vek1_api.proofs.queries import OCR_NOT_INSTALLED

TIMEOUT = timedelta(seconds=90)
"""A receipt takes two to eight seconds on one processor."""
MEMORY_BYTES = 3 * 1024**3
"""Of address space, twice what a large photo takes."""
CHILD = "vek1_api.proofs.ocr_child"


class PictureReader(Protocol):
    """What reads the text of a picture, or of a PDF that holds nothing but pictures."""

    @property
    def can_read(self) -> bool:
        """Whether it is there at all."""

    async def text(self, path: Path, kind: FileType) -> str:
        """Return the text, line by line, or raise ``UnreadableError``."""


class RapidOcr(PictureReader):
    """RapidOCR in a child process with limits on time and memory."""

    can_read = True

    @override
    async def text(self, path: Path, kind: FileType) -> str:
        try:
            extracted = await extract_in_sandbox(
                path, kind, timeout=TIMEOUT, memory_bytes=MEMORY_BYTES, module=CHILD
            )
        except ExtractionError as error:
            raise UnreadableError(error.code, error.detail) from error
        return extracted.text


class NoOcr(PictureReader):
    """Stands in where the optional part is not installed."""

    can_read = False

    @override
    async def text(self, path: Path, kind: FileType) -> str:
        raise UnreadableError(OCR_NOT_INSTALLED)


def installed() -> PictureReader:
    """Return what can read pictures here."""
    parts = ("rapidocr", "onnxruntime", "PIL")
    return RapidOcr() if all(map(find_spec, parts)) else NoOcr()
