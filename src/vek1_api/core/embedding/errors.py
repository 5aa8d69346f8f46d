"""Why a text did not become a vector, as one tree.

* EmbeddingError
    * EmbeddingUnavailableError   try again later; the only one worth a retry
    * EmbeddingSetupError         an operator must act: a package, a folder, a key
    * EmbeddingRefusedError       this text will never be taken
        * BlankTextError
    * EmbeddingMismatchError      the vectors are not the ones that this model gives

A caller of the API meets each as 503 with one constant sentence; ``reason`` (and ``str``)
is for logs and for the command line. It never holds the text or a key.
"""

from typing import ClassVar

from vek1_api.core.errors import UnavailableError


class EmbeddingError(UnavailableError):
    """The root: no vector came of it."""

    is_retryable: ClassVar[bool] = False

    def __init__(self, reason: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(
            "Text cannot be turned into vectors at the moment.",
            retry_after_seconds=retry_after_seconds,
        )
        self.args = (reason,)
        self.reason = reason


class EmbeddingUnavailableError(EmbeddingError):
    """The model or its server cannot answer now, and may later."""

    is_retryable = True


class EmbeddingSetupError(EmbeddingError):
    """The embedder is not set up; ``reason`` says what to do."""


class EmbeddingRefusedError(EmbeddingError):
    """The text itself is not taken, however often it is sent."""


class BlankTextError(EmbeddingRefusedError):
    """The text has nothing but white space and control characters."""

    def __init__(self) -> None:
        super().__init__("a blank text has no meaning to embed")


class EmbeddingMismatchError(EmbeddingError):
    """The vectors have another dimension than is recorded, or are no directions at all."""
