"""The reference pipeline over HTTP: the RAG API that `ragbed serve` and `devenv up` offer."""

from ragbed.server.app import create_app, refusal
from ragbed.server.pool import PipelinePool

__all__ = ["PipelinePool", "create_app", "refusal"]
