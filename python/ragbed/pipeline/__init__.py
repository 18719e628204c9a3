"""The reference RAG pipeline: read, chunk, embed, index, retrieve, answer, find gaps.

Names are imported when they are asked for: the child that parses documents needs no client of a store.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.pipeline import Pipeline, open_pipeline
    from ragbed.pipeline.records import (
        Answer,
        Citation,
        Document,
        Gap,
        IngestProgress,
        IngestReport,
        ScoredChunk,
        Unreadable,
    )

__all__ = [
    "Answer",
    "Citation",
    "Document",
    "Gap",
    "IngestProgress",
    "IngestReport",
    "Pipeline",
    "PipelineConfig",
    "ScoredChunk",
    "Unreadable",
    "open_pipeline",
]

_HOMES = {"Pipeline": "pipeline", "PipelineConfig": "config", "open_pipeline": "pipeline"}


def __getattr__(name: str) -> object:
    """Return a public name from the module that has it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'records')}"), name)
