"""Taking a proof for an order, and what a person makes of it."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from vek1_api.access.access import Access
from vek1_api.core import jobs
from vek1_api.core.answers import Answer
from vek1_api.core.db import Database, driver_of
from vek1_api.core.preconditions import IfMatch
from vek1_api.files import service as files
from vek1_api.files.filetypes import FileType
from vek1_api.files.incoming import IMAGES, IncomingFile
from vek1_api.orders import held, moving, proving, settling, transitions
from vek1_api.orders.errors import OrderNotFoundError
from vek1_api.orders.held import Held, actor_of
from vek1_api.orders.status import OrderStatus
from vek1_api.proofs import queries
from vek1_api.proofs.errors import NoProofToReviewError
from vek1_api.proofs.status import ProofSource, Review

ALLOWED = IMAGES | {FileType.PDF}
READING = "proofs.read"
"""The job that reads a proof's text."""

_TAKES_PROOFS = transitions.RECEIVE_PROOF.sources | {OrderStatus.PROOF_RECEIVED}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that came as a proof; it stays as it came, byte for byte."""

    file: IncomingFile
    source: ProofSource = ProofSource.UPLOAD
    message_id: UUID | None = None
    """The message that brought it, which is taken once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proof is to go."""

    store_id: UUID
    is_known: bool
    """Whether the order has this very file already."""


async def place_of(
    database: Database, access: Access, order_id: UUID, arrival: Arrival
) -> Place:
    """Return where a proof goes, before its bytes are sent anywhere.

    Raises ``OrderNotFoundError``, and ``InvalidTransitionError`` for an order that waits for
    no proof.
    """
    async with database.driver() as driver:
        row = await queries.PLACE.row(
            driver, order_id=order_id, **_same(arrival), **access.owner
        )
    if row is None:
        raise OrderNotFoundError(order_id)
    if not row["is_known"]:
        _assert_takes_proofs(OrderStatus(row["status"]))
    return Place(row["store_id"], row["is_known"])


async def receive(
    tx: AsyncConnection, access: Access, order_id: UUID, arrival: Arrival, key: str
) -> int | None:
    """Add a version whose bytes are in the bucket under ``key``, and return its number.

    None, and the object is not kept, where the order has this very file already.
    """
    order = await held.hold(tx, access, order_id)
    if await _is_known(tx, access, order, arrival):
        return None
    _assert_takes_proofs(order.status)
    await files.keep(tx, key)
    file, proof_id = arrival.file, uuid4()
    version = await proving.receive(
        tx,
        access,
        order,
        actor_of(access, order.source),
        review=Review.PENDING,
        file_url=key,
        mime_type=file.file_type.mime_type,
        external_id=str(arrival.message_id or proof_id),
    )
    await queries.add(
        tx,
        {
            "id": proof_id,
            "order_id": order.id,
            "store_id": order.store_id,
            "version": version,
            "source": arrival.source,
            "message_id": arrival.message_id,
            "object_key": key,
            "filename": file.filename,
            "size_bytes": file.size_bytes,
            "mime_type": file.file_type.mime_type,
            "sha256": file.digest,
        },
    )
    await enqueue_reading(tx, proof_id)
    return version


async def receive_and_answer(
    tx: AsyncConnection,
    access: Access,
    order_id: UUID,
    arrival: Arrival,
    key: str,
    api_url: str,
) -> Answer:
    """Add a version and answer with the order."""
    version = await receive(tx, access, order_id, arrival, key)
    body = await held.body_of(tx, access, order_id, api_url)
    return Answer(200 if version is None else 201, body)


async def unchanged(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str
) -> Answer:
    """Answer with an order as it is."""
    return Answer(200, await held.body_of(tx, access, order_id, api_url))


async def accept(
    tx: AsyncConnection, access: Access, order_id: UUID, api_url: str, if_match: IfMatch
) -> Answer:
    """Confirm the order by its proof; an order that is confirmed stays as it is."""
    order = await held.hold_if(tx, access, order_id, api_url, if_match)
    if order.status not in {OrderStatus.PROOF_RECEIVED, OrderStatus.CONFIRMED}:
        raise NoProofToReviewError(order.status)
    await settling.confirm(tx, access, order_id, actor_of(access))
    # Confirmed by somebody else meanwhile, the proof may still wait.
    if order.proof_review == Review.PENDING:
        await _review(tx, access, order, Review.ACCEPTED, None)
        meta = {"number": order.number, "version": order.proof_versions}
        await moving.log(tx, access, "order.proof_accepted", order, meta)
    return await unchanged(tx, access, order_id, api_url)


async def reject(
    tx: AsyncConnection,
    access: Access,
    order_id: UUID,
    reason: str | None,
    api_url: str,
    if_match: IfMatch,
) -> Answer:
    """Let the order wait for another proof; one whose proof was rejected does already."""
    order = await held.hold_if(tx, access, order_id, api_url, if_match)
    is_rejected = order.proof_review == Review.REJECTED
    if order.status is OrderStatus.AWAITING_PROOF and is_rejected:
        return await unchanged(tx, access, order_id, api_url)
    if order.status is not OrderStatus.PROOF_RECEIVED:
        raise NoProofToReviewError(order.status)
    data = {} if reason is None else {"reason": reason}
    step, actor = transitions.REJECT_PROOF, actor_of(access)
    await moving.take(tx, access, order, step, actor, data=data)
    await _review(tx, access, order, Review.REJECTED, reason)
    return await unchanged(tx, access, order_id, api_url)


async def enqueue_reading(tx: AsyncConnection, proof_id: UUID) -> None:
    """Let a job read a proof; one that waits or runs already is enough."""
    payload = {"proof_id": str(proof_id)}
    await jobs.enqueue(tx, READING, payload, once=f"{READING}:{proof_id}")


async def _review(
    tx: AsyncConnection, access: Access, order: Held, review: Review, reason: str | None
) -> None:
    await queries.review(tx, access, order.id, {"review": review, "reason": reason})
    await proving.note_review(tx, order, review)


async def _is_known(
    tx: AsyncConnection, access: Access, order: Held, arrival: Arrival
) -> bool:
    row = await queries.PLACE.row(
        await driver_of(tx), order_id=order.id, **_same(arrival), **access.owner
    )
    return row is not None and bool(row["is_known"])


def _same(arrival: Arrival) -> dict[str, object]:
    return {"sha256": arrival.file.digest, "message_id": arrival.message_id}


def _assert_takes_proofs(status: OrderStatus) -> None:
    if status not in _TAKES_PROOFS:
        raise moving.refused(status, OrderStatus.PROOF_RECEIVED)
