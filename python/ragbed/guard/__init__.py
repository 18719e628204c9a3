"""What may be touched: production is refused, other people's stores need ragbed's marker."""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names

if TYPE_CHECKING:
    from ragbed.guard.addresses import is_loopback, redacted
    from ragbed.guard.production import check_url, refuse_writes
    from ragbed.guard.scrubbing import scrubber, shown_value
    from ragbed.guard.stores import (
        Identity,
        Marker,
        NotThere,
        Probe,
        Project,
        Unusable,
        WrongService,
    )

__all__ = [
    "Identity",
    "Marker",
    "NotThere",
    "Probe",
    "Project",
    "Unusable",
    "WrongService",
    "check_url",
    "is_loopback",
    "redacted",
    "refuse_writes",
    "scrubber",
    "shown_value",
]

__getattr__ = public_names(
    __name__,
    {
        "is_loopback": "addresses",
        "redacted": "addresses",
        "check_url": "production",
        "refuse_writes": "production",
        "scrubber": "scrubbing",
        "shown_value": "scrubbing",
        "Identity": "stores",
        "Marker": "stores",
        "NotThere": "stores",
        "Project": "stores",
        "Probe": "stores",
        "Unusable": "stores",
        "WrongService": "stores",
    },
)
