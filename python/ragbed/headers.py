"""HTTP headers of ours."""

SUBSTITUTE_HEADER = "X-Ragbed-Substitute"
"""Response header by which a client sees that a substitute of ours answered, not the real service."""
