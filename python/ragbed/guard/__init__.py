"""What may be touched: production is refused, other people's stores need ragbed's marker."""

from ragbed.guard.addresses import is_loopback, redacted
from ragbed.guard.production import check_url, refuse_writes
from ragbed.guard.scrubbing import scrubber, shown_value
from ragbed.guard.stores import Identity, Marker, NotThere, Project, Store, WrongService, open_store

__all__ = [
    "Identity",
    "Marker",
    "NotThere",
    "Project",
    "Store",
    "WrongService",
    "check_url",
    "is_loopback",
    "open_store",
    "redacted",
    "refuse_writes",
    "scrubber",
    "shown_value",
]
