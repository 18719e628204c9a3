"""ragbed: a reproducible test bed for RAG systems."""

from ragbed._version import __version__

__all__ = ["__version__"]
