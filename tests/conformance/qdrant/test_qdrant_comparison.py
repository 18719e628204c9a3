"""Two servers are compared call by call."""

from __future__ import annotations

from ragbed.contracts.vector_store.compare import report

ONE = {"count: all": [{"result": {"count": 10}}], "upsert: no points": [{"error": 400, "message": "empty"}]}
OTHER = {
    "count: all": [{"result": {"count": 11}}],
    "upsert: no points": [{"error": 400, "message": "nothing"}],
}


def test_report_shows_both_outcomes_of_what_differs() -> None:
    """The words of a refusal may differ."""
    assert report(ONE, OTHER) == [
        "DIFFERS count: all",
        "    A {'result': {'count': 10}}",
        "    B {'result': {'count': 11}}",
        "same    upsert: no points",
        "2 cases, 1 the same, 1 different",
    ]


def test_report_of_one_server_twice_finds_no_difference() -> None:
    """It ends in the totals."""
    assert report(ONE, ONE)[-1] == "2 cases, 2 the same, 0 different"
