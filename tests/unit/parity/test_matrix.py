"""The matrix: what counts as a difference, and which differences are known."""

from __future__ import annotations

import pytest

from ragbed.contracts.vector_store.expectations import differences, recorded
from ragbed.parity import SUITE_NAMES
from ragbed.parity.matrix import rows_of
from ragbed.parity.suites import SUITES, Suite

KNOWN = {"b": 2}
SUITE = Suite(
    name="numbers",
    observe=lambda place: {},  # noqa: ARG005 - the tests say what was observed
    expected=lambda: {"a": 1, "b": 1},
    known=lambda case, facts: "b counts twice" if KNOWN.get(case) == facts else "",
)
BY_NAME = {suite.name: suite for suite in SUITES}


def test_cases_that_are_the_same_have_no_row() -> None:
    """The matrix shows what differs."""
    assert rows_of(SUITE, {"process": {"a": 1, "b": 1}}, ["process"], {}) == []


def test_a_difference_is_known_by_case_and_facts() -> None:
    """The same case with other facts is a new difference."""
    observed = {"process": {"a": 1, "b": 2}, "attach": {"a": 1, "b": 3}}

    (row,) = rows_of(SUITE, observed, ["process", "attach"], {})

    assert (row.case, row.expected) == ("b", 1)
    assert (row.cells["process"].status, row.cells["process"].reason) == ("known", "b counts twice")
    assert (row.cells["attach"].status, row.cells["attach"].facts) == ("differs", 3)


@pytest.mark.parametrize("name", ["vector-store", "llm", "redis", "smoke"])
def test_a_case_without_an_answer_differs(name: str) -> None:
    """A launcher that gives nothing for a case is not the same as one that does, and that matters."""
    suite = BY_NAME[name]
    first, *rest = suite.expected()
    answered = {case: suite.expected()[case] for case in rest}

    (row,) = rows_of(suite, {"process": answered}, ["process"], {})

    assert (row.case, row.cells["process"].status, row.cells["process"].weight) == (first, "differs", "high")


def test_without_recorded_facts_the_first_launcher_sets_them() -> None:
    """Ids that were retrieved by equal vectors are compared with each other."""
    observed = {"process": {"q1": ["x", "y"]}, "attach": {"q1": ["y", "x"]}}

    (row,) = rows_of(BY_NAME["golden"], observed, ["process", "attach"], {})

    assert row.cells["process"].status == "same"
    assert (row.cells["attach"].status, row.cells["attach"].weight) == ("differs", "high")


def test_a_launcher_that_did_not_run_a_suite_says_so() -> None:
    """An attached Qdrant is judged; the Postgres that was started beside it has been judged as a process."""
    (row,) = rows_of(SUITE, {"process": {"a": 1, "b": 2}}, ["process", "attach"], {})

    assert row.cells["attach"].status == "not_run"


def test_what_is_left_out_has_no_row() -> None:
    """It is named apart, with its reason."""
    assert rows_of(SUITE, {"process": {"b": 1}}, ["process"], {"a": "cannot be asked"}) == []


@pytest.mark.parametrize("case", sorted(differences()))
def test_known_differences_of_the_vector_store_have_a_reason_and_a_weight(case: str) -> None:
    """Those of the embedded Qdrant; a refusal matters little, since it is loud."""
    suite, difference = BY_NAME["vector-store"], differences()[case]

    assert suite.known(case, difference.outcomes)
    assert suite.known(case, recorded()[case]) == ""
    assert suite.weight(difference.outcomes, recorded()[case]) in (
        {"low"} if difference.is_refused else {"medium", "high"}
    )


def test_the_command_line_knows_every_suite() -> None:
    """The names stand apart, so that help imports no client."""
    assert tuple(BY_NAME) == SUITE_NAMES
