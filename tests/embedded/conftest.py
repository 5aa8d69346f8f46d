from collections.abc import Iterator
from pathlib import Path
import shutil
import tempfile

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: pytest closes its folders (0700) to the account that Postgres runs as,
    # and this is the usual case. The closed one has a test of its own.
    path = Path(tempfile.mkdtemp(prefix="embedded-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
