"""What a process holds open: made once by ``main`` or ``worker``, passed down as a value."""

from dataclasses import dataclass

from vek1_api.core.db import Database
from vek1_api.core.embedding import Embedder
from vek1_api.core.encryption import Keyring
from vek1_api.core.storage import Bucket
from vek1_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Resources:
    """The database, the bucket, the embedder, the keys, and the settings of all of them."""

    settings: Settings
    database: Database
    bucket: Bucket
    embedder: Embedder
    keyring: Keyring

    async def close(self) -> None:
        """Close everything, the database last."""
        await self.embedder.close()
        self.bucket.close()
        await self.database.close()
