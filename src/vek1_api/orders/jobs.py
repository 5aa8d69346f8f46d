"""The jobs of orders."""

from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.orders import steps


@jobs.periodic("orders.expire_drafts", "* * * * *")
async def expire_drafts(resources: Resources) -> None:
    """Cancel drafts that nobody has touched for long, so that they do not hold stock for ever."""
    await steps.expire_drafts(resources.database)
