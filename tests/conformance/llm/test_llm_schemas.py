"""An answer of the mock to a JSON schema is a value of it, as `jsonschema` sees it."""

from __future__ import annotations

from tiny_models.json_schemas import answers


def test_every_answer_to_a_generated_schema_validates() -> None:
    """And none of these schemas is refused; `scripts/soak-llm` asks thousands."""
    outcome = answers(seed=3, count=100)

    assert (outcome.invalid, outcome.refused, outcome.valid) == ([], [], 100)
