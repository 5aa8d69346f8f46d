"""The secrets of a development machine: made once, kept in the data folder for its owner only."""

import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson

FILE = "secrets.json"
RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class DevelopmentSecrets:
    """What stands in for each secret that the environment does not set."""

    service_token: str
    ops_token: str
    encryption_key: str
    better_auth_secret: str
    s3_access_key: str
    s3_secret_key: str


def keep_secrets(data_dir: Path) -> DevelopmentSecrets:
    """Return the folder's secrets, making those that it lacks; the caller holds its lock."""
    known = _read(data_dir)
    names = [field.name for field in fields(DevelopmentSecrets)]
    kept = DevelopmentSecrets(**{name: known.get(name) or _random() for name in names})
    if asdict(kept) != known:
        replace_privately(data_dir / FILE, asdict(kept))
    return kept


def known_service_token(data_dir: Path) -> str | None:
    """Return the service token that an earlier ``run`` made here, if there was one."""
    return _read(data_dir).get("service_token")


def replace_privately(path: Path, value: object) -> None:
    """Write JSON that only the owner can read; a reader sees the old or the new, never half."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


def _read(data_dir: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = orjson.loads((data_dir / FILE).read_bytes())
    except FileNotFoundError:
        return {}
    return known


def _random() -> str:
    return secrets.token_urlsafe(RANDOM_BYTES)
