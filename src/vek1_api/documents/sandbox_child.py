"""The child of ``documents.sandbox``: bind itself, extract, print the outcome as JSON."""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from vek1_api.documents.extraction import ExtractionError, extract
from vek1_api.files.filetypes import FileType

OPEN_FILES = 64
NICENESS = 10
PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Write one JSON object, ``{text, pages}`` or ``{code, message, detail}``, and end.

    ``argv`` is the kind and path of the file, then the limits: bytes of address space,
    seconds of processor time, bytes written, seconds until the alarm.
    """
    kind, path = argv[:2]
    bind(*map(int, argv[2:]))
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Libraries print where they like.
    with open(answer, "w", encoding="utf-8") as out:  # noqa: PTH123  (a descriptor)
        json.dump(outcome(Path(path), FileType(kind)), out, ensure_ascii=False)
    os._exit(0)  # Nothing is left to tidy, and libraries take their time over it.


def bind(
    memory_bytes: int, cpu_seconds: int, written_bytes: int, alarm_seconds: int
) -> None:
    """Limit this process for good, and let it end with its parent.

    The alarm's default action kills, whatever the process is at: it ends the child of a
    parent that died where the system has no parent-death signal.
    """
    os.nice(NICENESS)
    signal.alarm(alarm_seconds)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, written_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        resource.setrlimit(limit, (value, value))
    if sys.platform == "linux":  # macOS refuses to limit it.
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def outcome(path: Path, file_type: FileType) -> dict[str, Any]:
    """Return what the parent is told."""
    try:
        text, pages = extract(path, file_type)
    except ExtractionError as error:
        return {"code": error.code, "message": error.message, "detail": error.detail}
    return {"text": text, "pages": pages}


if __name__ == "__main__":
    main(sys.argv[1:])
