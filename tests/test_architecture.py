"""The walls of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.access.operations import operations
from vek1_api import domains
from vek1_api.core.db import SCHEMA, Base
from vek1_api.main import create_app
from vek1_api.settings import Settings

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "vek1_api"
FILES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 300
TRANSACTION = re.compile(r"\s*(begin|commit|rollback|savepoint)\b", re.IGNORECASE)


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _calls(tree: ast.AST) -> Iterator[str]:
    """Yield what is called, as it is written: ``tx.commit``, ``Access``, ``datetime.now``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def _files_that_call(pattern: str) -> set[str]:
    wanted = re.compile(pattern)
    return {
        _name(path)
        for path in FILES
        if any(wanted.fullmatch(call) for call in _calls(ast.parse(path.read_text())))
    }


def _files_with(pattern: str) -> set[str]:
    return {_name(path) for path in FILES if re.search(pattern, path.read_text())}


def _statements(tree: ast.AST) -> Iterator[str]:
    """Yield the texts that are sent to the database as they stand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".execute"):
            yield from (
                part.value
                for part in node.args
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def test_only_the_database_module_and_the_migrations_begin_and_end_transactions() -> None:
    called = _files_that_call(
        r"(?!(.*\.)?database\.).*\.(commit|rollback|begin|begin_nested|transaction)"
    )
    stated = {
        _name(path)
        for path in FILES
        if any(map(TRANSACTION.match, _statements(ast.parse(path.read_text()))))
    }

    assert {name for name in called | stated if not name.startswith("core/schema/")} == {
        "core/db.py"
    }


def test_only_the_access_package_makes_an_access() -> None:
    made = _files_that_call(r"(.*\.)?Access")

    assert made == {"access/access.py", "access/dependencies.py"}


def test_only_the_clock_reads_the_time() -> None:
    called = _files_that_call(r"(.*\.)?(datetime|date|time)\.(now|utcnow|today|time)")

    assert called == {"core/clock.py"}


def test_only_the_settings_read_the_environment() -> None:
    # The embedded parts pass the environment on to the processes that they start.
    assert _files_with(r"\bos\.(environ|getenv)\b") <= {"embedded/running.py"}
    assert _files_that_call(r"(.*\.)?Settings") <= {"settings.py", "embedded/running.py"}


def test_only_the_edge_of_http_knows_the_frameworks_own_error() -> None:
    assert _files_with(r"\bHTTPException\b") <= {"core/problems.py", "core/middleware.py"}


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_file_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


def test_no_room_is_called_after_nothing() -> None:
    rooms = {part for path in FILES for part in (path.stem, path.parent.name)}

    assert rooms.isdisjoint({"utils", "util", "helpers", "common", "base", "misc", "lib"})


def test_every_domain_is_registered() -> None:
    routers = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in SOURCE.rglob("*router.py")
    }
    jobs = {path.parent.name for path in SOURCE.glob("*/jobs.py")} - {"core"}

    for there, registered in (
        (routers, domains._ROUTERS),  # noqa: SLF001 - the lists themselves are tested.
        (jobs, domains._WITH_JOBS),  # noqa: SLF001
    ):
        assert there == set(registered)
        assert len(registered) == len(there)


def test_every_table_has_one_owner_and_stands_where_it_may() -> None:
    for path in (*SOURCE.glob("*/models.py"), SOURCE / "core" / "idempotency.py"):
        import_module(f"vek1_api.{path.parent.name}.{path.stem}")
    contract = (ROOT / "migrations" / "sql" / "0001_public.sql").read_text()
    public = set(re.findall(r'CREATE TABLE (?:IF NOT EXISTS )?public\."?(\w+)', contract))
    ours = {table.name for table in Base.metadata.tables.values() if table.schema is None}

    assert len(public) == 23
    assert ours <= public
    assert {table.schema for table in Base.metadata.tables.values()} <= {None, SCHEMA}


def test_operation_ids_are_unique_and_say_what_they_do() -> None:
    ids = [operation.id for operation in operations()]

    assert len(ids) == len(set(ids)) > 30
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", each) for each in ids), ids


def test_every_operation_is_described_with_its_errors() -> None:
    document = create_app(Settings()).openapi()

    for path, entries in document["paths"].items():
        for method, operation in entries.items():
            where = f"{method} {path}"
            assert operation["tags"], where
            assert operation["summary"], where
            assert "500" in operation["responses"], where
            if path.startswith(("/v1", "/internal", "/ops", "/metrics")):
                assert "401" in operation["responses"], where
            if "{" in path and not path.startswith("/webhooks/"):
                assert "404" in operation["responses"], where
