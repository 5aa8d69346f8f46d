"""What can go wrong between us and an ERP."""

from vek1_api.core.errors import ConflictError, ForeignReferenceError


class BatchHeldError(ConflictError):
    """The batch would change, or sell out, too much of the catalogue; nothing was changed.

    Send it again with `force=true` if it is meant.
    """

    def __init__(self, changed: int, catalogue: int, sold_out: int, in_stock: int) -> None:
        super().__init__(
            f"This would change the stock of {changed} of {catalogue} products, and sell out "
            f"{sold_out} of {in_stock} that are in stock. Nothing was changed. Send it again "
            "with force=true if it is meant."
        )
        self.counts = {
            "changed": changed,
            "catalogue": catalogue,
            "sold_out": sold_out,
            "in_stock": in_stock,
        }


class PlanNotFoundError(ForeignReferenceError):
    """The plan was applied already, is older than a day, or is not of this store."""

    def __init__(self, pointer: str, plan_id: object) -> None:
        super().__init__("plan", {pointer: str(plan_id)})
