"""Any model of the sentence-transformers package, bge-m3 first of all.

The package and torch are an optional part. The model's own files decide on pooling,
normalisation, prompts and length, so nothing of that is set here: bge-m3 pools the first
token, has no instruction prefix and reads 8,192 tokens. Only dense vectors are used.
"""

import importlib
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from vek1_api.core.embedding.errors import EmbeddingSetupError
from vek1_api.core.embedding.protocol import DEFAULT_MODEL
from vek1_api.core.embedding.texts import BatchLimit
from vek1_api.core.embedding.threaded import Encode, Purpose, ThreadedEmbedder

_LIMIT = BatchLimit(texts=16, characters=4_096)


class SentenceTransformersEmbedder(ThreadedEmbedder):
    """A model of the hub by its name, or one in a local folder, which needs no network.

    A folder's model is recorded as ``local/<name of the folder>``: two models need two
    folder names. ``HF_HUB_OFFLINE=1`` keeps a model of the hub to what is on disk already.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        folder = Path(model)
        name = f"local/{folder.resolve().name}" if folder.is_dir() else model
        super().__init__(name, load=lambda: _load(model), limit=_LIMIT)


def _load(model: str) -> Encode:
    try:
        package = importlib.import_module("sentence_transformers")
    except ImportError as error:
        reason = (
            "the sentence-transformers embedder is not installed; "
            "install the optional part: make install-sentence-transformers"
        )
        raise EmbeddingSetupError(reason) from error
    try:
        transformer: Any = package.SentenceTransformer(model)
    except Exception as error:
        # Four libraries look for the model, each with errors of its own.
        reason = f"cannot load {model}; name a model of the hub or its folder: {error}"
        raise EmbeddingSetupError(reason) from error

    def encode(texts: list[str], purpose: Purpose) -> ArrayLike:
        is_query = purpose is Purpose.QUERY
        # They differ only where the model's files hold prompts; bge-m3's hold none.
        embed = transformer.encode_query if is_query else transformer.encode_document
        rows: ArrayLike = embed(texts, batch_size=len(texts), show_progress_bar=False)
        return rows

    return encode
