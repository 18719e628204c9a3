"""What the embedded Qdrant says of itself on the wire."""

from __future__ import annotations

WIRE_VERSION = "1.19.1"
"""Server version that clients compare with their own; the API that we answer like."""

SUBSTITUTE = "embedded-qdrant"
"""Name of this substitute in the response header and in `GET /`."""

ENGINE = "qdrant-edge-py 0.9.0"
"""Engine inside, as `GET /` shows it; a literal, because reading package metadata costs start-up time."""
