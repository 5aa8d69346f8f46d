"""The jobs of leads."""

from uuid import UUID

from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.documents import indexing
from vek1_api.leads import (
    import_rows,  # noqa: F401 - It registers the importer.
    profile_queries,
    profiles,
)

BATCH = 200


@jobs.handles("leads.embed_profile", concurrency=4)
async def embed_profile(resources: Resources, payload: jobs.Payload) -> None:
    """Make the vector of a lead's newest profile."""
    await profiles.embed(resources, UUID(payload["lead_id"]))


@jobs.periodic("leads.catch_up", "*/5 * * * *")
async def catch_up(resources: Resources) -> None:
    """Embed profiles that have no vector of the model in use: after a change of models."""
    await resources.embedder.ready()
    model = await indexing.current_model(resources)
    async with resources.database.transaction() as tx:
        for lead_id in await profile_queries.left_behind(tx, model, BATCH):
            payload = {"lead_id": str(lead_id)}
            once = f"leads.embed_profile:{lead_id}:{model}"
            await jobs.enqueue(tx, "leads.embed_profile", payload, once=once)
