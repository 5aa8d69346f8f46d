"""Node with the npm package `standardwebhooks`, in a folder of its own."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "standardwebhooks@1"
INSTALL_SECONDS = 90
RUN_SECONDS = 20


def install_node(folder: Path) -> Path:
    """Return a folder in which Node finds the package, or skip the test."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no Node on this machine to compare signatures with")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", PACKAGE]
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm cannot be reached to fetch the package standardwebhooks")
    return folder


def run_node(folder: Path, script: str, argument: Any) -> Any:
    """Run a script with an argument; return the JSON that it prints."""
    done = subprocess.run(
        ["node", "-e", script, json.dumps(argument)],  # noqa: S607 - the one that was found.
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    return json.loads(done.stdout)
