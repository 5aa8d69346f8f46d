"""Extraction in a child process that may run out of time or memory, or crash, alone."""

import asyncio
import contextlib
import json
import math
import os
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import IO

from vek1_api.documents.extraction import (
    MAX_CHARS,
    ExtractedText,
    ExtractionCode,
    ExtractionError,
    PageSpan,
)
from vek1_api.files.filetypes import FileType

TIMEOUT = timedelta(seconds=60)
MEMORY_BYTES = 1024**3

CHILD = "vek1_api.documents.sandbox_child"
MAX_ANSWER_BYTES = 8 * MAX_CHARS
"""A character is at most four bytes of UTF-8; escapes and page spans need little more."""

_VERDICTS = {
    signal.SIGKILL: ExtractionCode.OUT_OF_MEMORY,  # Not by us, so by the system.
    signal.SIGXCPU: ExtractionCode.TIMEOUT,
    signal.SIGALRM: ExtractionCode.TIMEOUT,
}


async def extract_in_sandbox(
    path: Path,
    file_type: FileType,
    *,
    timeout: timedelta = TIMEOUT,  # noqa: ASYNC109  (the child's, which must be killed)
    memory_bytes: int = MEMORY_BYTES,
    cpu_seconds: int | None = None,
    module: str = CHILD,
) -> ExtractedText:
    """Extract the text in a child of its own session, and never block the event loop.

    The child has an empty environment, no input but the file, limits on address space,
    processor time (as ``timeout`` unless given), open files and written bytes, and dies
    with this process. It is killed, with all that it started, when ``timeout`` has passed
    or the caller is cancelled. However it ends, the outcome is an
    :class:`ExtractedText` or an :class:`ExtractionError`. ``module`` is the child's: it
    takes and prints what ``sandbox_child`` does.
    """
    seconds = math.ceil(timeout.total_seconds())
    limits = (memory_bytes, cpu_seconds or seconds, MAX_ANSWER_BYTES, seconds + 1)
    with tempfile.TemporaryFile() as answer:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-X", "utf8", "-m", module),
            *(file_type.value, str(path), *map(str, limits)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=answer,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={},
        )
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                status = await child.wait()
        except TimeoutError as error:
            raise ExtractionError(ExtractionCode.TIMEOUT) from error
        finally:
            await _end(child)
        return await asyncio.to_thread(_judge, answer, status)


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


def _judge(answer: IO[bytes], status: int) -> ExtractedText:
    if status < 0:
        code = _VERDICTS.get(signal.Signals(-status), ExtractionCode.CORRUPT)
        raise ExtractionError(code, detail=f"ended by {signal.Signals(-status).name}")
    answer.seek(0)
    try:
        content = json.loads(answer.read(MAX_ANSWER_BYTES).decode())
        if "code" in content:
            code = ExtractionCode(content["code"])
            raise ExtractionError(code, content["message"], detail=content["detail"])
        pages = content["pages"]
        return ExtractedText(
            content["text"],
            None if pages is None else tuple(PageSpan(*page) for page in pages),
        )
    except (ValueError, TypeError, KeyError) as error:
        detail = f"exit status {status}, no answer: {error!r}"
        raise ExtractionError(ExtractionCode.CORRUPT, detail=detail) from error
