"""The embedded Qdrant: Qdrant's REST API on Qdrant's own engine, in a process of its own.

`app` routes, `envelope` and `errors` shape what goes back, `calls` holds one function per endpoint, `collections` and
`shard` keep the data, `translate` turns JSON into engine objects and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.lazy import public_names
from ragbed.qdrant.identity import ENGINE, SUBSTITUTE, WIRE_VERSION

if TYPE_CHECKING:
    from ragbed.qdrant.session import running

__all__ = ["ENGINE", "SUBSTITUTE", "WIRE_VERSION", "running"]

# The server never asks for it, and starts sooner.
__getattr__ = public_names(__name__, {"running": "session"})
