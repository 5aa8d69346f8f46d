"""The jobs of payments."""

from uuid import UUID

from vek1_api.core import jobs
from vek1_api.core.resources import Resources
from vek1_api.payments import refunding, sweeping, understanding


@jobs.handles("abacatepay.understand", max_attempts=30)
async def understand(resources: Resources, payload: jobs.Payload) -> None:
    """Act on a webhook; again and again, for hours, while AbacatePay cannot be asked."""
    await understanding.understand(resources, UUID(payload["inbox_id"]))


@jobs.handles(refunding.JOB)
async def refund(resources: Resources, payload: jobs.Payload) -> None:
    """Give a payment back through AbacatePay."""
    await refunding.run(resources, payload)


@jobs.periodic("payments.sweep", "* * * * *")
async def sweep(resources: Resources) -> None:
    """Ask for the charges that are due, whether or not a webhook came."""
    await sweeping.sweep(resources)
