"""The reference RAG pipeline: read, chunk, embed, index, retrieve, answer, find gaps."""

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
