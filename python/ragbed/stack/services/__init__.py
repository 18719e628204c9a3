"""How each service is found and started."""

from ragbed.stack.services.base import Plan, Request, Starter, free_port, tells_of_full_disk

__all__ = ["Plan", "Request", "Starter", "free_port", "tells_of_full_disk"]
