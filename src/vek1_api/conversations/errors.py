"""What can go wrong with a message."""

from vek1_api.core.errors import ConflictError


class ErasedPersonError(ConflictError):
    """It was said before the person was forgotten, and arrives too late to be kept."""

    def __init__(self) -> None:
        super().__init__(
            "This was said before the person's data was erased (LGPD), so it is not kept. "
            "What they say from now on is."
        )
