"""What differs between deployments: the environment, read once, checked at start.

Every setting is an environment variable with the prefix ``VEK1_``; the table in the README
lists them all, and a test holds the two together. Only ``main``, ``worker``, ``cli`` and
``embedded`` call :func:`get_settings`; everything below takes the values that it needs.
"""

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_MIN_LENGTH = 32
"""Characters below which a secret is guessable (256 bits in hex are 64, in base64 44)."""


class Environment(StrEnum):
    """Where the service runs: ``production`` starts nothing embedded and makes no secrets."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class EmbedderKind(StrEnum):
    """Who turns text into vectors."""

    BUNDLED = "bundled"
    SENTENCE_TRANSFORMERS = "sentence-transformers"
    OPENAI = "openai"


Secrets = Annotated[tuple[SecretStr, ...], NoDecode]
"""Comma-separated in the environment; several are valid at once, so that they can rotate."""


class Settings(BaseSettings):
    """The settings of one process; frozen."""

    model_config = SettingsConfigDict(
        env_prefix="VEK1_",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Environment = Field(
        Environment.DEVELOPMENT,
        description="`production` refuses to start with a missing, default or short secret, "
        "and starts nothing embedded.",
    )
    host: str = Field("127.0.0.1", description="Address that the API listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the API listens on.")
    data_dir: Path = Field(
        Path(".vek1"),
        description="Folder of the embedded parts, secrets and `endpoints.json`.",
    )
    demo: bool = Field(default=True, description="Make a demo shop at the first `run`.")
    log_level: str = Field("INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`.")
    api_processes: int = Field(
        1, ge=1, le=64, description="API processes that `run` starts."
    )
    worker_processes: int = Field(
        1, ge=0, le=64, description="Worker processes that `run` starts."
    )

    database_url: SecretStr | None = Field(
        None,
        description="Postgres 16+ with pgvector 0.8+ (a PgBouncer in transaction mode too); "
        "unset: embedded.",
    )
    database_pool_size: int = Field(
        20, ge=2, le=500, description="Connections that one process keeps."
    )

    s3_endpoint: AnyHttpUrl | None = Field(
        None, description="MinIO or another S3 server; unset: embedded."
    )
    s3_access_key: str | None = Field(None, description="Access key of the bucket's user.")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key of that user.")
    s3_bucket: str = Field("vek1", description="The one bucket.")
    s3_region: str = Field("us-east-1", description="Region used in signatures.")
    s3_public_url: AnyHttpUrl | None = Field(
        None, description="Where browsers reach the bucket; unset: the endpoint."
    )

    embedder: EmbedderKind = Field(
        EmbedderKind.BUNDLED,
        description="`bundled`, `sentence-transformers` (an optional part) or `openai` "
        "(TEI, vLLM, Infinity, Ollama).",
    )
    embedding_model: str | None = Field(
        None, description="Model name or local folder; unset: `BAAI/bge-m3`."
    )
    embedding_url: AnyHttpUrl | None = Field(
        None, description="Base address of the OpenAI-compatible server, with its `/v1`."
    )
    embedding_api_key: SecretStr | None = Field(
        None, description="Its key, if it wants one."
    )

    service_tokens: Secrets = Field(
        (),
        description="Bearer tokens of the front end and the agent runtime; comma-separated.",
    )
    ops_token: SecretStr | None = Field(None, description="Bearer token of operations.")
    encryption_keys: Secrets = Field(
        (), description="Keys of the secrets at rest, newest first; comma-separated."
    )
    better_auth_secret: SecretStr | None = Field(
        None, description="Better Auth's secret, which signs its session cookies."
    )

    public_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8000"),
        description="Where Evolution and AbacatePay reach us.",
    )
    evolution_url: AnyHttpUrl | None = Field(None, description="Evolution API's address.")
    evolution_api_key: SecretStr | None = Field(None, description="Its global key.")
    abacatepay_url: AnyHttpUrl = Field(
        AnyHttpUrl("https://api.abacatepay.com"), description="AbacatePay's address."
    )
    abacatepay_require_signature: bool = Field(
        default=True, description="Refuse its webhooks without `X-Webhook-Signature`."
    )
    abacatepay_public_key: str | None = Field(
        None, description="The key of that signature; unset: the one in its docs."
    )
    allow_private_targets: bool | None = Field(
        None,
        description="Let outbound webhooks reach private addresses; unset: only in development.",
    )
    max_file_bytes: int = Field(
        10 * 1024 * 1024,
        ge=1,
        le=1024**3,
        description="Largest file that is taken, in bytes.",
    )

    @field_validator("service_tokens", "encryption_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def _is_fit_for_production(self) -> Self:
        if self.environment is Environment.PRODUCTION:
            problems = [*self._missing(), *self._short()]
            if problems:
                message = "not fit for production: " + "; ".join(problems)
                raise ValueError(message)
        return self

    def _missing(self) -> list[str]:
        needed = ("database_url", "s3_endpoint", "s3_access_key", "s3_secret_key")
        secret = ("service_tokens", "ops_token", "encryption_keys", "better_auth_secret")
        return [
            f"set VEK1_{name.upper()}"
            for name in needed + secret
            if not getattr(self, name)
        ]

    def _short(self) -> list[str]:
        return [
            f"VEK1_{name.upper()} is shorter than {SECRET_MIN_LENGTH} characters or a default"
            for name in (
                "service_tokens",
                "ops_token",
                "encryption_keys",
                "better_auth_secret",
            )
            if any(_is_weak(secret) for secret in _all(getattr(self, name)))
        ]

    @property
    def api_url(self) -> str:
        """The address that others reach us at, without a slash at its end."""
        return str(self.public_url).rstrip("/")

    @property
    def private_targets_allowed(self) -> bool:
        """Whether outbound webhooks may reach private addresses."""
        if self.allow_private_targets is None:
            return self.environment is Environment.DEVELOPMENT
        return self.allow_private_targets


def _all(value: SecretStr | tuple[SecretStr, ...] | None) -> tuple[SecretStr, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _is_weak(secret: SecretStr) -> bool:
    text = secret.get_secret_value()
    words = ("changeme", "change-me", "secret", "password", "default", "development")
    return len(text) < SECRET_MIN_LENGTH or any(word in text.lower() for word in words)


@lru_cache
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()
