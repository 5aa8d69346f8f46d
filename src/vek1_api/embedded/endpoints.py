"""Where each part of a running ``vek1-api run`` listens: ``endpoints.json``, for tools."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from vek1_api.embedded.secrets import replace_privately

FILE = "endpoints.json"


class ObjectStoreEndpoint(BaseModel):
    """The S3 server and who may use it."""

    model_config = ConfigDict(frozen=True)

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    public_url: str


class Pids(BaseModel):
    """The processes; none for a part that is not ours."""

    model_config = ConfigDict(frozen=True)

    supervisor: int
    api: list[int]
    worker: list[int]
    postgres: int | None
    store: int | None


class Endpoints(BaseModel):
    """The file's content (the HTTP contract, section 12)."""

    model_config = ConfigDict(frozen=True)

    api: str
    docs: str
    database_url: str
    s3: ObjectStoreEndpoint
    pids: Pids

    def write(self, data_dir: Path) -> None:
        """Replace the file, which only its owner can read: it holds passwords."""
        replace_privately(data_dir / FILE, self.model_dump())


def remove(data_dir: Path) -> None:
    """Remove the file: nothing runs."""
    (data_dir / FILE).unlink(missing_ok=True)


def of_running(data_dir: Path) -> Endpoints | None:
    """Return the endpoints of the ``run`` that is alive on this folder, if there is one."""
    try:
        found = Endpoints.model_validate_json((data_dir / FILE).read_bytes())
    except FileNotFoundError:
        return None
    return found if _is_alive(found.pids.supervisor) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # It lives, and is another user's.
        return True
    return True
