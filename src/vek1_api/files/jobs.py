"""The jobs of the bucket."""

from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.files import reconciling, service


@jobs.handles("files.remove")
async def remove(resources: Resources, _payload: jobs.Payload) -> None:
    """Remove what nothing refers to any more; a second run finds nothing."""
    while await service.remove_doomed(resources.database, resources.bucket):
        pass


@jobs.periodic("files.sweep", "*/5 * * * *")
async def sweep(resources: Resources) -> None:
    """Give up uploads that a crash left behind, and retry removals that failed."""
    await service.sweep(resources.database)
    await service.remove_doomed(resources.database, resources.bucket)


@jobs.periodic("files.reconcile", "17 6 * * *")
async def reconcile(resources: Resources) -> None:
    """Repair what drifted apart: at night in Brazil."""
    await reconciling.reconcile(resources)
