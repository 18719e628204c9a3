"""Retrieval metrics."""

from ragbed.evaluation.retrieval import Judged, RetrievalFigures, measure

__all__ = ["Judged", "RetrievalFigures", "measure"]
