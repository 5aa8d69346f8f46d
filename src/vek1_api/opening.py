"""From settings to what a process holds open; for ``main``, ``worker`` and ``cli``."""

import httpx
from pydantic import SecretStr

from vek1_api.core.db import Database
from vek1_api.core.embedding import make_embedder
from vek1_api.core.encryption import Keyring
from vek1_api.core.resources import Resources
from vek1_api.core.storage import Bucket
from vek1_api.settings import Settings


class NotConfiguredError(Exception):
    """A setting is missing that this command cannot do without."""


def open_resources(settings: Settings, *, application_name: str = "vek1-api") -> Resources:
    """Return the resources that the settings describe; nothing connects before its first use."""
    return Resources(
        settings=settings,
        database=Database(
            database_url(settings),
            pool_size=settings.database_pool_size,
            application_name=application_name,
        ),
        bucket=_bucket(settings),
        embedder=make_embedder(
            settings.embedder,
            model=settings.embedding_model,
            url=str(settings.embedding_url) if settings.embedding_url else None,
            api_key=_plain(settings.embedding_api_key),
        ),
        keyring=Keyring(settings.encryption_keys),
        http=httpx.AsyncClient(trust_env=False),
    )


def database_url(settings: Settings) -> str:
    """Return where the database is, or raise ``NotConfiguredError``."""
    if settings.database_url is None:
        message = "Set VEK1_DATABASE_URL, or start everything with `vek1-api run`."
        raise NotConfiguredError(message)
    return settings.database_url.get_secret_value()


def _bucket(settings: Settings) -> Bucket:
    endpoint, secret = settings.s3_endpoint, _plain(settings.s3_secret_key)
    if endpoint is None or settings.s3_access_key is None or secret is None:
        message = (
            "Set VEK1_S3_ENDPOINT, VEK1_S3_ACCESS_KEY and VEK1_S3_SECRET_KEY, "
            "or start everything with `vek1-api run`."
        )
        raise NotConfiguredError(message)
    return Bucket(
        endpoint=str(endpoint),
        access_key=settings.s3_access_key,
        secret_key=secret,
        bucket=settings.s3_bucket,
        region=settings.s3_region,
        public_url=str(settings.s3_public_url or endpoint),
    )


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
