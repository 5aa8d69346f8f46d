"""Whoever runs jobs knows how to run imports."""

import subprocess
import sys

PROGRAM = """
from vek1_api.core import jobs
from vek1_api.domains import load_jobs
from vek1_api.imports.importers import importer_of

load_jobs()
known = "imports.run" in jobs.HANDLERS, "imports.forget" in jobs.PERIODIC
print(importer_of("products").action, *known)
"""


def test_worker_knows_every_importer() -> None:
    """In a process of its own, which has no routers."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )

    assert done.stdout == "products.imported True True\n", done.stderr
