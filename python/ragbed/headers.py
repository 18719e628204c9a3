"""HTTP headers of ours."""

SUBSTITUTE_HEADER = "X-Ragbed-Substitute"
"""Response header by which a client sees that a substitute of ours answered, not the real service."""

RUN_HEADER = "X-Ragbed-Run"
"""Request header by which a client says to which run a call belongs."""

TEST_HEADER = "X-Ragbed-Test"
"""Request header by which a client says to which test a call belongs."""
