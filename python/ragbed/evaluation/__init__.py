"""Retrieval metrics and prices."""

from ragbed.evaluation.prices import simulated_cost_usd
from ragbed.evaluation.retrieval import Judged, RetrievalFigures, measure

__all__ = ["Judged", "RetrievalFigures", "measure", "simulated_cost_usd"]
