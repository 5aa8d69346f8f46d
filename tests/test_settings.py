from enum import Enum
from pathlib import Path

import pytest
from pydantic import ValidationError

from vek1_api.settings import Environment, Settings

README = Path(__file__).parents[1] / "README.md"
HEADER = ["| setting | default | meaning |", "|---|---|---|"]
LONG = "0123456789abcdef" * 4

PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://vek1:hush@db/vek1",
    "S3_ENDPOINT": "https://s3.example",
    "S3_ACCESS_KEY": "vek1",
    "S3_SECRET_KEY": LONG,
    "SERVICE_TOKENS": f"a{LONG}, b{LONG}",
    "OPS_TOKEN": f"c{LONG}",
    "ENCRYPTION_KEYS": f"d{LONG}",
    "BETTER_AUTH_SECRET": f"e{LONG}",
}
SECRETS = ("SERVICE_TOKENS", "OPS_TOKEN", "ENCRYPTION_KEYS", "BETTER_AUTH_SECRET")


def _set(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"VEK1_{name.upper()}", raising=False)
    for name, value in values.items():
        monkeypatch.setenv(f"VEK1_{name}", value)


def _default(value: object) -> str:
    if value is None or value == ():
        return "—"
    plain = value.value if isinstance(value, Enum) else value
    return f"`{str(plain).lower() if isinstance(plain, bool) else plain}`"


def test_the_table_in_the_readme_is_that_of_the_settings() -> None:
    rows = [
        f"| `VEK1_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]

    written = README.read_text().partition(HEADER[0])[2].partition("\n\n")[0]

    assert [HEADER[0], *filter(None, written.splitlines())] == [*HEADER, *rows]


def test_every_setting_has_its_sentence() -> None:
    assert [n for n, f in Settings.model_fields.items() if not f.description] == []


def test_production_starts_when_everything_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, PRODUCTION)

    settings = Settings()

    assert settings.environment is Environment.PRODUCTION
    assert [each.get_secret_value() for each in settings.service_tokens] == [
        f"a{LONG}",
        f"b{LONG}",
    ]
    assert settings.private_targets_allowed is False


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "ENVIRONMENT"])
def test_production_refuses_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _set(monkeypatch, {key: value for key, value in PRODUCTION.items() if key != name})

    with pytest.raises(ValidationError) as caught:
        Settings()

    message = caught.value.errors()[0]["msg"]
    assert message == f"Value error, not fit for production: set VEK1_{name}"


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("weak", ["x" * 31, f"changeme{LONG}", f"{LONG}Secret"])
def test_production_refuses_a_secret_that_is_short_or_a_default(
    monkeypatch: pytest.MonkeyPatch, name: str, weak: str
) -> None:
    _set(monkeypatch, PRODUCTION | {name: weak})

    with pytest.raises(ValidationError) as caught:
        Settings()

    message = caught.value.errors()[0]["msg"]
    reason = f"VEK1_{name} is shorter than 32 characters or a default"
    assert message == f"Value error, not fit for production: {reason}"
    assert weak not in str(caught.value)


def test_one_weak_token_among_good_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, PRODUCTION | {"SERVICE_TOKENS": f"{LONG},short"})

    with pytest.raises(ValidationError, match="VEK1_SERVICE_TOKENS is shorter"):
        Settings()


def test_development_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, {})

    settings = Settings()

    assert (settings.database_url, settings.s3_endpoint) == (None, None)
    assert settings.private_targets_allowed is True


def test_no_secret_is_shown_by_the_settings_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _set(monkeypatch, PRODUCTION)

    assert LONG not in repr(Settings())
    assert "hush" not in repr(Settings())
