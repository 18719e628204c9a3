"""What both halves of the pipeline stand on: a configuration and open backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ragbed.pipeline.embedding import CachedEmbedding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.pipeline.backends import Backends
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.records import Vector


class Connected:
    """A part of the pipeline; a context manager that closes its backends.

    Args:
        config: Whose it is, its stores, its models, and the numbers it works with.
        backends: What it works on; closed with it.
    """

    def __init__(self, config: PipelineConfig, backends: Backends) -> None:
        self.config = config
        self._backends = backends

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; doing it twice is harmless."""
        self._backends.close()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return the unit vector of each text as a document, cached like those of an ingest.

        Raises:
            EmbeddingFailed: The model refused.
            ServiceMissing: Ollama does not answer.
        """
        names = [f"text {number}" for number in range(1, len(texts) + 1)]
        return self._embedding().documents(texts, names=names) if texts else []

    def _embedding(self) -> CachedEmbedding:
        """Return embeddings that count from 0."""
        return CachedEmbedding(
            self._backends.embedder, self._backends.cache, model=self.config.models.embedding
        )
