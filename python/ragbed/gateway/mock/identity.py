"""What the mock says of itself. Times are made, not measured: the same request gives the same bytes."""

from __future__ import annotations

from ragbed.gateway.engine import EngineIdentity, Timing

IDENTITY = EngineIdentity(
    name="mock",
    substitute="mock-llm",
    title="ragbed's mock LLM",
    label="ragbed mock",
    weights="a mock by ragbed, without weights",
    weights_format="ragbed-mock",
)
_LOAD_NS = 1_000_000
_READ_NS = 100_000
_WRITE_NS = 1_000_000


def made_timing(*, input_tokens: int, output_tokens: int) -> Timing:
    """Return the time of an answer: loading counts 1 ms, a token read 0.1 ms, a token written 1 ms."""
    return Timing(load_ns=_LOAD_NS, read_ns=input_tokens * _READ_NS, write_ns=output_tokens * _WRITE_NS)
