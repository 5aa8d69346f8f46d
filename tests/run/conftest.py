import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.process import Run, started


@pytest.fixture(scope="module")
def parent() -> Iterator[Path]:
    # Not tmp_path: pytest closes its folders (0700) to the account that Postgres runs as.
    path = Path(tempfile.mkdtemp(prefix="run-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def running(parent: Path) -> Iterator[Run]:
    """One run with its demo shop; every test leaves it healthy."""
    with started(Run(parent / "shared", demo=True)) as run:
        yield run
