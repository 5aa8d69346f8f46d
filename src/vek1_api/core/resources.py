"""What a process holds open: made once by ``main`` or ``worker``, passed down as a value."""

from dataclasses import dataclass

import httpx

from vek1_api.core.db import Database
from vek1_api.core.embedding import Embedder
from vek1_api.core.encryption import Keyring
from vek1_api.core.storage import Bucket
from vek1_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Resources:
    """The database, the bucket, the embedder, the keys, and the settings of all of them.

    ``http`` calls the providers that our own settings name; never an address of a merchant.
    """

    settings: Settings
    database: Database
    bucket: Bucket
    embedder: Embedder
    keyring: Keyring
    http: httpx.AsyncClient

    async def close(self) -> None:
        """Close everything, the database last."""
        await self.http.aclose()
        await self.embedder.close()
        self.bucket.close()
        await self.database.close()
