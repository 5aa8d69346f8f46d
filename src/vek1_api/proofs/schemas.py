"""Proofs and the proof desk as callers see them."""

from datetime import datetime

from pydantic import BaseModel, Field

from vek1_api.core.inputs import Input, Note
from vek1_api.proofs.status import ProofSource, Reading, Review, Risk

_MATCHES = Field(description="Null where it cannot be told.", examples=[True])


class ProofReject(Input):
    """Why a proof is not taken."""

    reason: Note | None = Field(None, examples=["O valor não confere"])


class ProofVersionRead(BaseModel):
    """A file that came as a proof."""

    version: int = Field(examples=[1])
    received_at: datetime
    filename: str = Field(examples=["comprovante.pdf"])
    mime_type: str = Field(examples=["application/pdf"])
    size_bytes: int = Field(examples=[48213])
    source: ProofSource
    url: str = Field(
        description="Opens without a credential until it expires.",
        examples=["https://s3.exemplo.com.br/vek1/companies/…?X-Amz-Signature=…"],
    )
    expires_at: datetime
    review: Review
    reason: str | None = Field(description="Why it was rejected.")
    reading: Reading
    reading_error: str | None = Field(
        description="Why it is `unreadable`: `ocr_not_installed`, `no_text`, `encrypted`, "
        "`corrupt`, `too_many_pages`, `too_large`, `timeout`, `out_of_memory`.",
        examples=[None],
    )


class AmountCheck(BaseModel):
    """The amounts that the proof shows, in cents, and the order's total."""

    found: list[int] = Field(examples=[[15990]])
    expected: int = Field(examples=[15990])
    matches: bool | None = _MATCHES


class WordsCheck(BaseModel):
    """What the proof shows and what it should."""

    found: list[str]
    expected: str | None
    matches: bool | None = _MATCHES


class DateCheck(BaseModel):
    """The days and moments that the proof shows, in Brasília's time."""

    found: list[str] = Field(examples=[["2026-11-21T14:32:05-03:00"]])
    expected: datetime = Field(description="When the order was made: not before.")
    matches: bool | None = _MATCHES


class DeskReason(BaseModel):
    """Why a person should look closely."""

    code: str = Field(description="Stable.", examples=["amount_differs"])
    message: str = Field(
        description="For the merchant, in Portuguese.",
        examples=["O comprovante mostra R$ 10,00, e o pedido custa R$ 159,90."],
    )
    risk: Risk


class ProofDesk(BaseModel):
    """What the newest proof says, compared with the order. It confirms nothing by itself."""

    applies: bool = Field(description="Whether the order is paid by PIX by hand.")
    risk: Risk
    reasons: list[DeskReason]
    amount: AmountCheck
    recipient: WordsCheck
    key: WordsCheck = Field(description="The store's PIX key, and tax ids that are shown.")
    date: DateCheck
    end_to_end_id: WordsCheck = Field(
        description="`matches`: its minute agrees with the date, and no other order has it."
    )
    txid: WordsCheck = Field(description="Our own, which names the order.")


class ProofDeskResult(BaseModel):
    """An order's proofs, newest first, and what the newest one says."""

    versions: list[ProofVersionRead]
    desk: ProofDesk | None = Field(description="Null where no proof came yet.")
