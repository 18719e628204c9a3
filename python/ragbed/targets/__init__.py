"""What smoke tests a RAG pipeline through: the port, and the reference pipeline behind it."""

from ragbed.targets.port import Retrieved, Target
from ragbed.targets.reference import ReferenceTarget, Tokens

__all__ = ["ReferenceTarget", "Retrieved", "Target", "Tokens"]
