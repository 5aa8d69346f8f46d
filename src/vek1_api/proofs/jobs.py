"""The jobs of proofs."""

from datetime import timedelta
from uuid import UUID

from vek1_api.core import clock, jobs
from vek1_api.core.resources import Resources
from vek1_api.proofs import intake, pictures, queries, reading, service

TAKING = "proofs.take"
"""The job that makes a proof of a file that came in a message."""

FORGOTTEN_AFTER = timedelta(hours=1)
BATCH = 200


@jobs.handles(service.READING, concurrency=2)
async def read(resources: Resources, payload: jobs.Payload) -> None:
    """Read the text of a proof."""
    await reading.read(resources, UUID(payload["proof_id"]), pictures.installed())


@jobs.handles(TAKING)
async def take(resources: Resources, payload: jobs.Payload) -> None:
    """Make a proof of a stored object.

    ``{lead_id, message_id, object_key, filename?, order_id?}``.
    """
    order_id = payload.get("order_id")
    sent = intake.Sent(
        lead_id=UUID(payload["lead_id"]),
        message_id=UUID(payload["message_id"]),
        object_key=payload["object_key"],
        filename=payload.get("filename"),
        order_id=None if order_id is None else UUID(order_id),
    )
    await intake.take_message(resources, sent)


@jobs.periodic("proofs.resume", "47 * * * *")
async def resume(resources: Resources) -> None:
    """Read what has waited for too long, and photos once the OCR part is installed."""
    before, with_ocr = clock.now() - FORGOTTEN_AFTER, pictures.installed().can_read
    async with resources.database.transaction() as tx:
        for proof_id in await queries.waiting(tx, before, BATCH, with_ocr=with_ocr):
            await service.enqueue_reading(tx, proof_id)
