"""Proofs of payment: customers' receipts, and the desk where the merchant looks at them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Response, UploadFile

from vek1_api.access.dependencies import Read, Write
from vek1_api.core.errors import (
    EmptyFileError,
    PayloadTooLargeError,
    PreconditionFailedError,
    StorageQuotaExceededError,
    UnsupportedMediaTypeError,
)
from vek1_api.core.problems import responses
from vek1_api.orders.errors import InvalidTransitionError, OrderNotFoundError
from vek1_api.orders.schemas import OrderRead
from vek1_api.proofs import intake, service, showing
from vek1_api.proofs.errors import NoProofToReviewError
from vek1_api.proofs.schemas import ProofDeskResult, ProofReject

router = APIRouter(prefix="/v1", tags=["Payments"])

_REVIEW = responses(OrderNotFoundError, NoProofToReviewError, PreconditionFailedError)


@router.get(
    "/orders/{order_id}/proof",
    response_model=ProofDeskResult,
    responses=responses(OrderNotFoundError),
)
async def get_order_proof(read: Read, order_id: UUID) -> Response:
    """Get an order's proofs, newest first, and what the newest says.

    Links live ten minutes. `desk` compares amount, recipient, date and ids with the order, and
    the file and its end-to-end id with every other order of the store. It informs; a person
    accepts or rejects.
    """
    return read.page(await showing.show(read.resources, read.access, order_id))


@router.post(
    "/orders/{order_id}/proof",
    status_code=201,
    response_model=OrderRead,
    responses={
        200: {"model": OrderRead, "description": "The order has this very file already."},
        **responses(
            OrderNotFoundError,
            InvalidTransitionError,
            StorageQuotaExceededError,
            PayloadTooLargeError,
            UnsupportedMediaTypeError,
            EmptyFileError,
        ),
    },
)
async def add_order_proof(
    write: Write,
    order_id: UUID,
    file: Annotated[UploadFile, File(description="PDF, JPEG, PNG, WebP or GIF.")],
) -> Response:
    """Add a proof of payment to an order that awaits one, as another version.

    The kind is judged by the content; the file is kept private, byte for byte. A job reads it.
    """
    return await intake.take_upload(write, order_id, file)


@router.post("/orders/{order_id}/proof/accept", response_model=OrderRead, responses=_REVIEW)
async def accept_order_proof(write: Write, order_id: UUID) -> Response:
    """Accept an order's proof, which confirms the order."""
    url, if_match = write.resources.settings.api_url, write.if_match
    return await write(lambda tx: service.accept(tx, write.access, order_id, url, if_match))


@router.post("/orders/{order_id}/proof/reject", response_model=OrderRead, responses=_REVIEW)
async def reject_order_proof(
    write: Write, order_id: UUID, body: ProofReject | None = None
) -> Response:
    """Reject an order's proof: the order awaits another one."""
    url, if_match = write.resources.settings.api_url, write.if_match
    reason = None if body is None else body.reason
    return await write(
        lambda tx: service.reject(tx, write.access, order_id, reason, url, if_match)
    )
