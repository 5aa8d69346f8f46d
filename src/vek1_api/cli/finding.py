"""The settings of a command: the environment's, else those of the ``run`` that is alive here."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from pydantic import AnyHttpUrl, SecretStr
from sqlalchemy.engine import make_url

from vek1_api.cli.errors import CommandError
from vek1_api.core.schema import connect
from vek1_api.embedded import endpoints
from vek1_api.embedded.secrets import known_service_token
from vek1_api.opening import database_url
from vek1_api.ops.queries import is_migrated
from vek1_api.settings import Settings, get_settings


def found_settings() -> Settings:
    """Return the settings, pointed at a living ``run`` where the environment says nothing."""
    settings = get_settings()
    running = endpoints.of_running(settings.data_dir)
    if settings.database_url is not None or running is None:
        return settings
    store = running.s3
    found: dict[str, object] = {"database_url": SecretStr(running.database_url)}
    if settings.s3_endpoint is None:
        found |= {
            "s3_endpoint": AnyHttpUrl(store.endpoint),
            "s3_access_key": store.access_key,
            "s3_secret_key": SecretStr(store.secret_key),
            "s3_bucket": store.bucket,
            "s3_public_url": AnyHttpUrl(store.public_url),
        }
    return settings.model_copy(update=found)


def found_api(settings: Settings) -> tuple[str, str]:
    """Return the address of the API and a service token."""
    running = endpoints.of_running(settings.data_dir)
    token = (
        settings.service_tokens[0].get_secret_value()
        if settings.service_tokens
        else known_service_token(settings.data_dir)
    )
    if token is None:
        message = "Set VEK1_SERVICE_TOKENS, or start everything with `vek1-api run`."
        raise CommandError(message)
    return (running.api if running else str(settings.public_url).rstrip("/")), token


@asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[asyncpg.Connection]:
    """Lend a connection, or say in one line why there is none."""
    url = database_url(settings)
    try:
        connection = await connect(url)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        where = make_url(url).render_as_string(hide_password=True)
        message = f"The database {where} cannot be reached: {error or type(error).__name__}"
        raise CommandError(message) from error
    try:
        yield connection
    finally:
        await connection.close()


async def require_migrated(settings: Settings) -> None:
    """Raise ``CommandError`` unless the database is there and up to date."""
    async with connected(settings) as connection:
        try:
            migrated = await is_migrated(connection)
        except asyncpg.UndefinedTableError:
            migrated = False
        if not migrated:
            message = "The database is not up to date; run `vek1-api migrate` first."
            raise CommandError(message)
