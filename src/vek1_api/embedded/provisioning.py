"""From the settings that a person gave to complete ones, and to the children's environment."""

from enum import Enum
from pathlib import Path

from pydantic import AnyHttpUrl, SecretStr

from vek1_api.embedded.secrets import DevelopmentSecrets
from vek1_api.settings import Settings

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - Compared with, not bound.
DEFAULT_PUBLIC_URL = Settings.model_fields["public_url"].default


def address_of(settings: Settings) -> str:
    """Return the API's address as this machine reaches it."""
    host = WILDCARDS.get(settings.host, settings.host)
    return (
        f"http://[{host}]:{settings.port}"
        if ":" in host
        else f"http://{host}:{settings.port}"
    )


def located(settings: Settings, port: int) -> Settings:
    """Return the settings with an absolute data folder and the port that was chosen."""
    placed = settings.model_copy(
        update={"data_dir": settings.data_dir.absolute(), "port": port}
    )
    if settings.public_url != DEFAULT_PUBLIC_URL:
        return placed
    return placed.model_copy(update={"public_url": AnyHttpUrl(address_of(placed))})


def with_secrets(settings: Settings, made: DevelopmentSecrets) -> Settings:
    """Return the settings with a development secret where none is set."""
    return settings.model_copy(
        update={
            "service_tokens": settings.service_tokens or (SecretStr(made.service_token),),
            "ops_token": settings.ops_token or SecretStr(made.ops_token),
            "encryption_keys": settings.encryption_keys
            or (SecretStr(made.encryption_key),),
            "better_auth_secret": settings.better_auth_secret
            or SecretStr(made.better_auth_secret),
        }
    )


def with_database(settings: Settings, url: str) -> Settings:
    """Return the settings with the embedded database."""
    return settings.model_copy(update={"database_url": SecretStr(url)})


def with_store(settings: Settings, endpoint: str, made: DevelopmentSecrets) -> Settings:
    """Return the settings with the embedded object store."""
    return settings.model_copy(
        update={
            "s3_endpoint": AnyHttpUrl(endpoint),
            "s3_access_key": made.s3_access_key,
            "s3_secret_key": SecretStr(made.s3_secret_key),
        }
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment that makes another process read these very settings."""
    return {
        f"VEK1_{name.upper()}": _text(value)
        for name in type(settings).model_fields
        if (value := getattr(settings, name)) is not None
    }


def data_folder(settings: Settings) -> Path:
    """Return the data folder, made if needed; others may pass through it, not look in."""
    settings.data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    logs = settings.data_dir / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    return settings.data_dir


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.value if isinstance(value, Enum) else value)
