from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.run.process import command
from vek1_api.cli.commands import app
from vek1_api.embedded.processes import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]  # Each is a new interpreter.

COMMANDS = ("run", "api", "worker", "migrate", "doctor", "reembed", "seed")


def _help(*words: str) -> str:
    shown = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*words, "--help"])
    assert shown.exit_code == 0
    return shown.stdout


def test_the_help_lists_every_command() -> None:
    shown = _help()

    assert [name for name in COMMANDS if f"│ {name} " not in shown] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_says_what_it_needs_and_shows_an_example(name: str) -> None:
    shown = _help(name)

    assert "Needs" in shown
    example = shown.partition("Try")[2].splitlines()
    assert any(f"vek1-api {name}" in line for line in example)


@pytest.mark.parametrize("name", ["worker", "doctor"])
def test_a_missing_database_is_one_line(name: str, tmp_path: Path) -> None:
    refused = command(
        name,
        data_dir=str(tmp_path),
        s3_endpoint="http://127.0.0.1:9",
        s3_access_key="key",
        s3_secret_key="secret",
    )

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "vek1-api: Set VEK1_DATABASE_URL, or start everything with `vek1-api run`."
    ]
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_database_is_one_line_without_its_password(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    refused = command(
        "migrate",
        data_dir=str(tmp_path),
        database_url=f"postgresql://vek1:hush@127.0.0.1:{port}/vek1",
    )

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith("vek1-api: The database postgresql://")
    assert "cannot be reached" in refused.stderr
    assert "hush" not in refused.stderr


def test_a_setting_that_is_wrong_is_named(tmp_path: Path) -> None:
    refused = command("run", data_dir=str(tmp_path), port="many", environment="staging")

    assert refused.returncode == 1
    assert [line.split(": ")[:2] for line in refused.stderr.splitlines()] == [
        ["vek1-api", "VEK1_ENVIRONMENT"],
        ["vek1-api", "VEK1_PORT"],
    ]
    assert list(tmp_path.iterdir()) == []


def test_an_embedder_without_its_server_is_one_line(tmp_path: Path) -> None:
    refused = command("run", data_dir=str(tmp_path / "data"), port="0", embedder="openai")

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "vek1-api: set VEK1_EMBEDDING_URL to the server's base address with its /v1"
    ]


@pytest.mark.parametrize("name", ["run", "api"])
def test_production_without_secrets_starts_nothing(name: str, tmp_path: Path) -> None:
    refused = command(name, data_dir=str(tmp_path), environment="production")

    assert refused.returncode == 1
    lines = refused.stderr.splitlines()
    assert lines[0] == "vek1-api: not fit for production"
    assert "vek1-api:   set VEK1_SERVICE_TOKENS" in lines
    assert "vek1-api:   set VEK1_DATABASE_URL" in lines
    assert list(tmp_path.iterdir()) == []


def test_seeding_without_a_token_is_one_line(tmp_path: Path) -> None:
    refused = command("seed", data_dir=str(tmp_path))

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "vek1-api: Set VEK1_SERVICE_TOKENS, or start everything with `vek1-api run`."
    ]
