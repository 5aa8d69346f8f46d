"""The jobs of stock."""

from uuid import UUID

from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.stock import retention
from vek1_api.stock.deliveries import (
    sending as deliveries_sending,
    service as deliveries_service,
)


@jobs.handles("stock.deliver")
async def deliver(resources: Resources, payload: jobs.Payload) -> None:
    """Send what a store's ERP must hear; triggers add the job (``init/01-init.sql``)."""
    await deliveries_sending.deliver(resources, UUID(payload["store_id"]))


@jobs.periodic("stock.wake", "* * * * *")
async def wake(resources: Resources) -> None:
    """Have sent what a worker that died left behind."""
    await deliveries_service.wake_all(resources.database)


@jobs.periodic("stock.forget_deliveries", "20 4 * * *")
async def forget_deliveries(resources: Resources) -> None:
    """Delete old messages."""
    await deliveries_service.forget(resources.database)


@jobs.periodic("stock.forget_received", "40 4 * * *")
async def forget_received(resources: Resources) -> None:
    """Delete what was remembered of old batches."""
    await retention.forget(resources.database)
