"""The reference RAG pipeline: read, chunk, embed, index, retrieve, answer, find gaps.

Names are imported when they are asked for: the child that parses documents needs no client of a store.
"""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names

if TYPE_CHECKING:
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.pipeline import Pipeline, open_pipeline, open_reader
    from ragbed.pipeline.reader import PipelineReader
    from ragbed.pipeline.records import (
        Answer,
        Citation,
        Document,
        Gap,
        IngestReport,
        ScoredChunk,
        Unreadable,
    )

__all__ = [
    "Answer",
    "Citation",
    "Document",
    "Gap",
    "IngestReport",
    "Pipeline",
    "PipelineConfig",
    "PipelineReader",
    "ScoredChunk",
    "Unreadable",
    "open_pipeline",
    "open_reader",
]

_RECORDS = (
    "Answer",
    "Citation",
    "Document",
    "Gap",
    "IngestReport",
    "ScoredChunk",
    "Unreadable",
)

__getattr__ = public_names(
    __name__,
    {
        **dict.fromkeys(_RECORDS, "records"),
        "Pipeline": "pipeline",
        "PipelineConfig": "config",
        "PipelineReader": "reader",
        "open_pipeline": "pipeline",
        "open_reader": "pipeline",
    },
)
