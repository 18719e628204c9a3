"""The embedded Qdrant: Qdrant's REST API on Qdrant's own engine, in a process of its own.

`app` routes, `envelope` and `errors` shape what goes back, `calls` holds one function per endpoint, `collections` and
`shard` keep the data, `translate` turns JSON into engine objects and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.qdrant.identity import ENGINE, SUBSTITUTE, WIRE_VERSION

if TYPE_CHECKING:
    from ragbed.qdrant.session import running

__all__ = ["ENGINE", "SUBSTITUTE", "WIRE_VERSION", "running"]


def __getattr__(name: str) -> object:
    """Import `running` when it is asked for: the server, which never asks, starts sooner."""
    if name == "running":
        from ragbed.qdrant.session import running  # noqa: PLC0415  # see above

        return running
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
