"""The child of ``proofs.pictures``: bind itself, read the picture, print the text as JSON."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vek1_api.documents.extractors.result import ExtractionCode
from vek1_api.documents.sandbox_child import bind
from vek1_api.files.filetypes import FileType

MAX_PIXELS = 50_000_000
LONGEST_SIDE = 2_600
"""Pixels; a larger photo is made smaller, which costs no digit of a receipt."""
MAX_PAGES = 3
PAGE_WIDTH = 1_200
SAME_LINE = 0.6
"""Of a line's height: boxes whose middles are closer stand beside each other."""

_GLUED = re.compile(
    r"(?<=[a-zà-ÿ])(?=R\$)|(?<=,[0-9]{2})(?=[A-Z])|(?<=CNPJ)(?=[0-9*•])|(?<=CPF)(?=[0-9*•])"
)
"""Where OCR loses a space: `ValorR$159,90`, `159,90E1823…`, `CNPJ11.222…`."""
_PARAMETERS = {
    "Global.use_cls": False,  # Nobody sends a receipt upside down; phones turn photos.
    "Global.log_level": "critical",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def main(argv: list[str]) -> None:
    """Write one JSON object, ``{text, pages}`` or ``{code, message, detail}``, and end.

    ``argv`` is that of ``documents.sandbox_child``.
    """
    kind, path = argv[:2]
    bind(*map(int, argv[2:]))
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Libraries print where they like.
    with open(answer, "w", encoding="utf-8") as out:  # noqa: PTH123  (a descriptor)
        json.dump(outcome(Path(path), FileType(kind)), out, ensure_ascii=False)
    os._exit(0)  # Nothing is left to tidy, and libraries take their time over it.


def outcome(path: Path, kind: FileType) -> dict[str, Any]:
    """Return what the parent is told."""
    try:
        text = "\n\n".join(read(path, kind))
    except MemoryError as error:
        return _failure(ExtractionCode.OUT_OF_MEMORY, error)
    except Exception as error:  # noqa: BLE001 - A library may raise anything over rubbish.
        return _failure(ExtractionCode.CORRUPT, error)
    if not re.search(r"[^\W_]", text):
        return _failure(ExtractionCode.NO_TEXT, None)
    return {"text": text, "pages": None}


def read(path: Path, kind: FileType) -> Iterator[str]:
    """Yield the text of each picture of a file."""
    # ruff: noqa: PLC0415 - Only this process has the optional part, after it is bound.
    from rapidocr import RapidOCR

    ocr = RapidOCR(params=_PARAMETERS)
    for pixels in _pages(path) if kind is FileType.PDF else [_picture(path)]:
        found: Any = ocr(pixels)
        if found.boxes is not None and found.txts is not None:
            yield _lines(zip(found.boxes.tolist(), found.txts, strict=True))


def _picture(path: Path) -> Any:
    import numpy as np
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(path) as opened:
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(opened).convert("RGBA")
    # What is transparent is shown on white.
    shown = Image.new("RGB", upright.size, "white")
    shown.paste(upright, mask=upright.getchannel("A"))
    shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return np.asarray(shown)[:, :, ::-1]


def _pages(path: Path) -> Iterator[Any]:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as document:
        for number in range(min(len(document), MAX_PAGES)):
            page = document[number]
            width, height = page.get_size()
            scale = min(PAGE_WIDTH / width, LONGEST_SIDE / height)
            yield page.render(scale=scale, rev_byteorder=False).to_numpy()[:, :, :3].copy()


def _lines(boxes: Iterator[tuple[list[list[float]], str]]) -> str:
    """Return the texts as they stand: from above to below, from left to right."""
    lines: list[tuple[float, list[tuple[float, str]]]] = []
    for middle, height, left, text in sorted(_place(box, text) for box, text in boxes):
        if lines and middle - lines[-1][0] < SAME_LINE * height:
            lines[-1][1].append((left, text))
        else:
            lines.append((middle, [(left, text)]))
    # Columns are boxes of their own, apart as the layout of a PDF has them.
    whole = "\n".join("  ".join(text for _, text in sorted(line)) for _, line in lines)
    return _GLUED.sub(" ", whole).replace("\0", "")


def _place(box: list[list[float]], text: str) -> tuple[float, float, float, str]:
    across, down = zip(*box, strict=True)
    return sum(down) / len(down), max(down) - min(down), min(across), text


def _failure(code: ExtractionCode, error: BaseException | None) -> dict[str, Any]:
    return {"code": code, "message": None, "detail": None if error is None else repr(error)}


if __name__ == "__main__":
    main(sys.argv[1:])
