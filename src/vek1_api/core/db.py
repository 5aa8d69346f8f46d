"""The database: its tables' common ground, its connections, its transactions.

Two kinds of work, and nothing else opens a connection:

* ``database.transaction()`` for everything that writes: one per request or step of a job,
  committed when the block ends, rolled back when it raises.
* ``database.read()`` for reading: every statement by itself, without a transaction's round
  trips around it.

The engine is in AUTOCOMMIT and a transaction is opened here, in one message with its
time-outs. As ``SET LOCAL`` they hold behind a PgBouncer in transaction mode too, which
refuses them as start-up parameters.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, cast

import asyncpg
import orjson
from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from typing_extensions import override

from vek1_api.core import clock

Driver = asyncpg.Connection
"""asyncpg's own connection, lent by ``Database.driver`` or taken from a transaction."""

SCHEMA = "vek1_api"
"""Where everything of ours lives; ``public`` belongs to the front end."""

COMMAND_TIMEOUT_SECONDS = 30
"""How long a statement may run before asyncpg cancels it."""

_RECYCLE_SECONDS = 300
"""Instead of a ping per use, which costs 13 % of the throughput."""

_BEGIN = (
    "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '20s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '20s'; "
    # Tells the triggers of ``init/01-init.sql`` that it is us and not the front end.
    "SET LOCAL vek1_api.is_writer = 'on'"
)


def to_json(value: Any) -> str:
    """Return a value as the text of a ``jsonb``; ids and times become strings."""
    return orjson.dumps(value, default=str).decode()


class UtcTimestamp(TypeDecorator[datetime]):
    """A ``timestamp without time zone`` that holds UTC, as an aware datetime in Python.

    Drizzle makes its columns so (decisions, section "Who owns what", 7).
    """

    impl = DateTime(timezone=False)
    cache_ok = True

    @override
    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Drop the zone after moving to UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    @override
    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Say that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables; used as typed tables for Core statements, not as unit of work.

    Constraint names follow Drizzle's, so that a push of the front end finds what it expects.
    """

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_unique",
            # All of Drizzle's foreign keys point at an id.
            "fk": "%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s_id_fk",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcTimestamp()}


class Database:
    """The engine of one process, with a bounded pool."""

    def __init__(
        self, url: str, *, pool_size: int = 20, application_name: str = "vek1"
    ) -> None:
        """Take any ``postgresql://`` URL; nothing connects before the first use."""
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            isolation_level="AUTOCOMMIT",
            json_serializer=to_json,
            poolclass=_Pool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            # The one that was used last has its statements prepared and its caches warm.
            pool_use_lifo=True,
            pool_recycle=_RECYCLE_SECONDS,
            # The state of a connection is settled below, before it goes back.
            pool_reset_on_return=None,
            connect_args={
                "command_timeout": COMMAND_TIMEOUT_SECONDS,
                "timeout": 10,
                "server_settings": {
                    "timezone": "UTC",
                    "application_name": application_name,
                },
            },
        )

        event.listen(self._engine.sync_engine, "checkout", _refuse_closed)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection on which each statement stands alone."""
        async with self._engine.connect() as connection:
            yield connection

    def driver(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """Lend asyncpg's own connection, for the statements of ``core.hot``."""
        return _Lent(self._engine, self._pool)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection inside a transaction that commits when the block ends.

        Raising, and being cancelled, rolls back. A connection whose end is uncertain is
        closed rather than lent again.
        """
        async with self._engine.connect() as connection:
            raw = await driver_of(connection)
            try:
                await raw.execute(_BEGIN)
                yield connection
                await raw.execute("COMMIT")
            except BaseException:
                await asyncio.shield(_roll_back(connection, raw))
                raise

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def pool_status(self) -> dict[str, int]:
        """Return how many connections are lent and how many there may be."""
        return {"lent": self._pool.checkedout(), "size": self._pool.size()}

    @property
    def _pool(self) -> "_Pool":
        return cast("_Pool", self._engine.pool)


class _Lent(AbstractAsyncContextManager[asyncpg.Connection]):
    """A connection out of the pool; a generator would cost a good part of a small query."""

    __slots__ = ("_engine", "_give_back", "_pool")

    def __init__(self, engine: AsyncEngine, pool: "_Pool") -> None:
        self._engine = engine
        self._pool = pool
        self._give_back: Callable[[], None]

    @override
    async def __aenter__(self) -> asyncpg.Connection:
        entry = self._pool.take()
        if entry is not None:
            self._give_back = partial(self._pool.give_back, entry)
            return cast("asyncpg.Connection", entry.driver_connection)
        lent = await self._engine.raw_connection()
        self._give_back = lent.close
        return cast("asyncpg.Connection", lent.driver_connection)

    @override
    async def __aexit__(self, *_error: object) -> None:
        self._give_back()


class _Pool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool, which also lends what is idle without a greenlet and a proxy.

    Those cost as much as a small query does.
    """

    def take(self) -> ConnectionPoolEntry | None:
        """Return an idle connection, or none where one must be waited for or opened."""
        if self._pool.empty():
            return None
        entry: Any = self._pool.get_nowait()
        connection = entry.driver_connection
        age_seconds = clock.now().timestamp() - entry.last_connect_time
        is_old = age_seconds > _RECYCLE_SECONDS
        if is_old or connection is None or connection.is_closed():
            # For SQLAlchemy, which takes the one that came back last and connects it anew.
            self.give_back(entry)
            return None
        return cast("ConnectionPoolEntry", entry)

    def give_back(self, entry: ConnectionPoolEntry) -> None:
        """Let others have what ``take`` lent."""
        self._do_return_conn(entry)


def _refuse_closed(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """Let the pool replace a connection that the server has closed; costs no round trip."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """Return the asyncpg connection below, which takes part in the same transaction."""
    below = connection.sync_connection
    assert below is not None
    return cast("asyncpg.Connection", below.connection.driver_connection)


async def _roll_back(connection: AsyncConnection, raw: asyncpg.Connection) -> None:
    try:
        if not raw.is_closed():
            # Whatever asyncpg believes: cancelled while BEGIN was on its way, it does not
            # know yet that there is a transaction. Outside one, this does nothing.
            await raw.execute("ROLLBACK", timeout=5)
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
        TimeoutError,
    ):
        await connection.invalidate()
