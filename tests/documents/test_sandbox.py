import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # It has no type hints.
import pytest

from tests.documents import files
from vek1_api.documents.extraction import ExtractedText, ExtractionCode, ExtractionError
from vek1_api.files.filetypes import FileType
from vek1_api.documents.sandbox import extract_in_sandbox

PATIENCE = timedelta(seconds=5)

Store = Callable[[bytes], Path]

ORPHAN = """
import asyncio, sys
from pathlib import Path
from vek1_api.files.filetypes import FileType
from vek1_api.documents.sandbox import extract_in_sandbox
asyncio.run(extract_in_sandbox(Path(sys.argv[1]), FileType.TEXT))
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    def store(content: bytes) -> Path:
        path = tmp_path / "original"
        path.write_bytes(content)
        return path

    return store


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A pipe that nobody writes to: reading it waits for ever."""
    path = tmp_path / "hanging"
    os.mkfifo(path)
    return path


async def refusal_of(
    path: Path,
    kind: FileType,
    *,
    timeout: timedelta = PATIENCE,  # noqa: ASYNC109  (passed on)
    memory_bytes: int = 1024**3,
    cpu_seconds: int | None = None,
) -> ExtractionError:
    with pytest.raises(ExtractionError) as caught:
        await extract_in_sandbox(
            path, kind, timeout=timeout, memory_bytes=memory_bytes, cpu_seconds=cpu_seconds
        )
    return caught.value


async def child_reading(path: Path, parent: psutil.Process) -> psutil.Process:
    """Wait until ``parent`` has a child that reads ``path`` with its limits set."""
    while True:
        for child in parent.children():
            with contextlib.suppress(psutil.Error):
                if str(path) in child.cmdline() and child.nice() > parent.nice():
                    return child
        await asyncio.sleep(0.005)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_text_and_pages_come_back(store: Store) -> None:
    stored = store(files.pdf(["Olá, “mundo”."], ["Fim."]))
    extracted = await extract_in_sandbox(stored, FileType.PDF, timeout=PATIENCE)
    assert extracted.text == "Olá, “mundo”.\n\nFim."
    assert extracted.pages == ((1, 0, 13), (2, 15, 19))


async def test_a_refusal_comes_back_whole(store: Store) -> None:
    stored = store(files.pdf_with_pages(5_000))
    refusal = await refusal_of(stored, FileType.PDF)
    assert refusal.code is ExtractionCode.TOO_MANY_PAGES
    assert refusal.message == (
        "The file has 5,000 pages; at most 2,000 are read. Split it and upload the parts."
    )


@pytest.mark.parametrize(
    ("bomb", "code"),
    [
        (files.zip_bomb, ExtractionCode.TOO_LARGE),
        (files.lying_zip_bomb, ExtractionCode.CORRUPT),
        (files.billion_laughs, ExtractionCode.CORRUPT),
    ],
)
async def test_bombs_end_as_refusals(
    store: Store, bomb: Callable[[], bytes], code: ExtractionCode
) -> None:
    stored = store(bomb())
    assert (await refusal_of(stored, FileType.DOCX)).code is code


async def test_a_hanging_file_is_killed_while_others_are_read(
    store: Store, hanging: Path
) -> None:
    stored = store("Olá".encode())
    slow = asyncio.create_task(
        refusal_of(hanging, FileType.TEXT, timeout=timedelta(seconds=0.4))
    )
    child = await child_reading(hanging, psutil.Process())
    assert await extract_in_sandbox(stored, FileType.TEXT) == ExtractedText("Olá")
    assert not slow.done()
    assert (await slow).code is ExtractionCode.TIMEOUT
    assert is_gone(child)


async def test_a_cancelled_caller_leaves_no_child(hanging: Path) -> None:
    task = asyncio.create_task(extract_in_sandbox(hanging, FileType.TEXT))
    child = await child_reading(hanging, psutil.Process())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert is_gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the child's alarm ends it")
async def test_the_child_dies_with_its_parent(hanging: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ORPHAN, str(hanging)
    )
    child = await child_reading(hanging, psutil.Process(parent.pid))
    parent.kill()
    await parent.wait()
    for _ in range(1_000):
        if is_gone(child):
            break
        await asyncio.sleep(0.005)
    assert is_gone(child)


@pytest.mark.parametrize(
    ("ended_by", "code"),
    [
        (signal.SIGSEGV, ExtractionCode.CORRUPT),
        (signal.SIGABRT, ExtractionCode.CORRUPT),
        (signal.SIGKILL, ExtractionCode.OUT_OF_MEMORY),
        (signal.SIGXCPU, ExtractionCode.TIMEOUT),
        (signal.SIGALRM, ExtractionCode.TIMEOUT),
    ],
)
async def test_a_crash_is_a_refusal_with_a_reason(
    hanging: Path, ended_by: signal.Signals, code: ExtractionCode
) -> None:
    task = asyncio.create_task(refusal_of(hanging, FileType.TEXT))
    child = await child_reading(hanging, psutil.Process())
    child.send_signal(ended_by)
    refusal = await task
    assert refusal.code is code
    assert refusal.detail == f"ended by {ended_by.name}"


async def test_memory_is_bounded(store: Store) -> None:
    stored = store(b"")
    os.truncate(stored, 512 * 1024**2)  # A hole: takes no disk.
    refusal = await refusal_of(stored, FileType.TEXT, memory_bytes=256 * 1024**2)
    assert refusal.code is ExtractionCode.OUT_OF_MEMORY


async def test_the_child_gets_no_environment_and_a_session_of_its_own(
    hanging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEK1_OPS_TOKEN", "a secret of the parent")
    task = asyncio.create_task(extract_in_sandbox(hanging, FileType.TEXT))
    child = await child_reading(hanging, psutil.Process())
    assert "VEK1_OPS_TOKEN" not in child.environ()
    assert os.getsid(child.pid) == child.pid
    if sys.platform == "linux":
        for _ in range(500):  # It has just been started, and limits itself first.
            if child.rlimit(psutil.RLIMIT_AS) == (1024**3, 1024**3):
                break
            await asyncio.sleep(0.01)
        assert child.rlimit(psutil.RLIMIT_AS) == (1024**3, 1024**3)
        assert child.rlimit(psutil.RLIMIT_CPU) == (60, 60)
        assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
