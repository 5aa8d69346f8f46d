"""The one table of what an order may become, and what each step leaves behind.

The OpenAPI text of the orders is made of this table.
"""

from dataclasses import dataclass

from vek1_api.orders.status import EventType, OrderStatus

_S = OrderStatus


@dataclass(frozen=True, slots=True)
class Step:
    """A way from some statuses to another one.

    Where the order is there already, taking the step again succeeds without effect.
    """

    name: str
    sources: frozenset[OrderStatus]
    target: OrderStatus
    event: EventType
    action: str
    """What the audit log calls it."""
    at: str | None = None
    """The column that keeps when it happened."""

    @property
    def data(self) -> dict[str, str]:
        """What its event says: a ``note`` names the step."""
        return {"step": self.name} if self.event is EventType.NOTE else {}


_NOTE = EventType.NOTE
AWAIT_PROOF = Step(
    "awaiting_proof",
    frozenset({_S.DRAFT}),
    _S.AWAITING_PROOF,
    _NOTE,
    "order.payment_initialized",
)
DELIVER_FOR_CASH = Step(
    "cash_on_delivery",
    frozenset({_S.DRAFT}),
    _S.CONFIRMED,
    EventType.CONFIRMED,
    "order.confirmed",
    "confirmed_at",
)
RECEIVE_PROOF = Step(
    "proof_received",
    frozenset({_S.AWAITING_PROOF}),
    _S.PROOF_RECEIVED,
    _NOTE,
    "order.proof_received",
)
REJECT_PROOF = Step(
    "proof_rejected",
    frozenset({_S.PROOF_RECEIVED}),
    _S.AWAITING_PROOF,
    _NOTE,
    "order.proof_rejected",
)
CONFIRM = Step(
    "confirmed",
    frozenset({_S.AWAITING_PROOF, _S.PROOF_RECEIVED}),
    _S.CONFIRMED,
    EventType.CONFIRMED,
    "order.confirmed",
    "confirmed_at",
)
SHIP = Step(
    "shipping",
    frozenset({_S.CONFIRMED}),
    _S.SHIPPING,
    _NOTE,
    "order.shipped",
    "shipping_at",
)
FULFILL = Step(
    "fulfilled",
    frozenset({_S.SHIPPING}),
    _S.FULFILLED,
    EventType.FULFILLED,
    "order.fulfilled",
    "fulfilled_at",
)
CANCEL = Step(
    "cancelled",
    frozenset(OrderStatus) - {_S.CANCELLED},
    _S.CANCELLED,
    EventType.CANCELLED,
    "order.cancelled",
    "cancelled_at",
)

STEPS = (
    AWAIT_PROOF,
    DELIVER_FOR_CASH,
    RECEIVE_PROOF,
    REJECT_PROOF,
    CONFIRM,
    SHIP,
    FULFILL,
    CANCEL,
)

COUNTED = frozenset((_S.CONFIRMED, _S.SHIPPING, _S.FULFILLED))
"""The statuses in which an order is a purchase of its lead."""


def allowed_from(status: OrderStatus) -> list[OrderStatus]:
    """Return what an order of this status may become, in the order of its life."""
    targets = {step.target for step in STEPS if status in step.sources}
    return [each for each in OrderStatus if each in targets]


def ways_to(target: OrderStatus, status: OrderStatus) -> list[str]:
    """Return the names of the steps by which an order of this status gets there."""
    return [step.name for step in STEPS if step.target is target and status in step.sources]


def table() -> str:
    """Return the table as Markdown, for the documentation."""
    rows = [
        f"| `{status}` | {', '.join(f'`{each}`' for each in allowed_from(status)) or '—'} |"
        for status in OrderStatus
    ]
    return "\n".join(["| status | may become |", "|---|---|", *rows])
