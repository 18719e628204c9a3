"""How each service is found and started."""

from ragbed.stack.kinds import Plan, Starter, StartOrder
from ragbed.stack.services.base import free_port, tells_of_full_disk

__all__ = ["Plan", "StartOrder", "Starter", "free_port", "tells_of_full_disk"]
