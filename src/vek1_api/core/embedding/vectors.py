"""The one shape that vectors have here, whatever the model."""

from typing import NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vek1_api.core.embedding.errors import (
    EmbeddingMismatchError,
    EmbeddingUnavailableError,
)

VECTOR_DIMENSIONS = 1024
"""Components of every stored vector; a smaller model's are followed by zeros."""

Vector: TypeAlias = NDArray[np.float32]
"""Shape ``(1024,)``, finite, of length 1."""


class VectorSpace:
    """The vectors of one model: its name, and its dimension once one has been seen."""

    def __init__(self, model: str, dimensions: int | None = None) -> None:
        self.model = model
        self._dimensions = dimensions

    @property
    def dimensions(self) -> int:
        """The model's own dimension, or ``EmbeddingUnavailableError`` before the first."""
        if self._dimensions is None:
            reason = f"the dimension of {self.model} is not known before ready()"
            raise EmbeddingUnavailableError(reason)
        return self._dimensions

    def admit(self, rows: ArrayLike, *, texts: int) -> list[Vector]:
        """Return the model's ``rows`` as vectors, or raise ``EmbeddingMismatchError``.

        ``texts`` is how many there must be. The first admitted rows fix the dimension.
        """
        matrix = self._matrix(rows, texts)
        dimensions = matrix.shape[1]
        expected = dimensions if self._dimensions is None else self._dimensions
        if dimensions != expected or not 0 < dimensions <= VECTOR_DIMENSIONS:
            wanted = self._dimensions or f"at most {VECTOR_DIMENSIONS}"
            self._refuse(f"vectors of dimension {dimensions}, not {wanted}")
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            self._refuse("a vector that is not finite, or zero")
        vectors = np.zeros((texts, VECTOR_DIMENSIONS), dtype=np.float32)
        np.divide(matrix, lengths, out=vectors[:, :dimensions])
        self._dimensions = dimensions
        return list(vectors)

    def _matrix(self, rows: ArrayLike, texts: int) -> NDArray[np.float32]:
        try:
            with np.errstate(over="ignore"):  # What overflows becomes infinite: refused.
                matrix = np.asarray(rows, dtype=np.float32)
        except (TypeError, ValueError):
            self._refuse("something else than equally long lists of numbers")
        if matrix.ndim != 2 or len(matrix) != texts:  # noqa: PLR2004 - A table has two.
            self._refuse(f"an array of shape {matrix.shape} for {texts} texts")
        return matrix

    def _refuse(self, what: str) -> NoReturn:
        reason = f"{self.model} gave {what}"
        raise EmbeddingMismatchError(reason)
