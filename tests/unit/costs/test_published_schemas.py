"""The published JSON of a call and of the ledger."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ragbed.costs import CallId, CanonicalKey, FileLedger, LlmCall, MicroUsd, Scope

DOCS = Path(__file__).parents[3] / "docs"
CALL = LlmCall(
    id=CallId("0f" * 16),
    run="20261129-070000-abcdef",
    test="tests/test_a.py::test_b",
    at=datetime(2026, 11, 29, 7, tzinfo=UTC),
    wire="ollama",
    operation="chat",
    model="qwen2.5:0.5b",
    model_digest="ab" * 32,
    engine="mock",
    rule="hello",
    key=CanonicalKey("cd" * 32),
    input_tokens=1000,
    output_tokens=100,
    spent=MicroUsd(0),
    simulated=MicroUsd(210),
    first_token_s=0.001,
    seconds=0.002,
    status="ok",
)
REFUSED = replace(
    CALL,
    run=None,
    test=None,
    model_digest=None,
    engine="",
    rule=None,
    input_tokens=None,
    output_tokens=None,
    simulated=None,
    first_token_s=None,
    status="refused",
)


def schema(name: str) -> Any:
    """Return a validator of a published schema."""
    return Draft202012Validator(json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("call", [CALL, REFUSED], ids=["answered", "refused"])
def test_every_call_fits_the_published_schema(call: LlmCall) -> None:
    """With every field, and none beside them."""
    value = json.loads(json.dumps(call.to_json()))

    schema("llm-call").validate(value)
    assert schema("llm-call").schema["additionalProperties"] is False
    assert len(value) == len(fields(LlmCall)) + 1


def test_money_is_told_in_usd_and_unknown_tokens_as_null() -> None:
    """Never as 0."""
    assert (CALL.to_json()["simulated_usd"], CALL.to_json()["at"]) == (0.00021, "2026-11-29T07:00:00+00:00")
    assert (REFUSED.to_json()["input_tokens"], REFUSED.to_json()["simulated_usd"]) == (None, None)


def test_every_line_of_the_ledger_fits_the_published_schema(tmp_path: Path) -> None:
    """Reservations and settlements."""
    path = tmp_path / "ledger.jsonl"
    ledger = FileLedger(path)
    day = Scope(kind="day", name="2026-11-29", cap=MicroUsd(1000))
    ledger.settle(ledger.reserve(CALL.id, [day], MicroUsd(310)), MicroUsd(210))
    reserved, settled = (json.loads(line) for line in path.read_text().splitlines())

    for line in (reserved, settled):
        schema("spend").validate(line)
    assert (reserved["most_usd"], settled["actual_usd"]) == (0.00031, 0.00021)
    assert not schema("spend").is_valid({**settled, "kind": "reserved"})
