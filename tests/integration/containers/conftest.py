"""Fixtures of the container tests."""

from local_containers import compose, local_images

__all__ = ["compose", "local_images"]
