"""The jobs of products."""

from vek1_api.core import jobs
from vek1_api.core.db import driver_of
from vek1_api.core.resources import Resources
from vek1_api.products import (
    import_rows,  # noqa: F401 - It registers the importer.
    queries,
)

BATCH = 1_000


@jobs.periodic("products.index_lost", "*/5 * * * *")
async def index_lost(resources: Resources) -> None:
    """Give a document and search words to products that were there before our triggers."""
    while True:
        async with resources.database.transaction() as tx:
            (row,) = await queries.INDEX_LOST.rows(await driver_of(tx), row_limit=BATCH)
        if row["found"] < BATCH:
            return
