"""Two servers are compared rule by rule, and known differences are told apart."""

from __future__ import annotations

import pytest

from ragbed.contracts.llm.compare import main, report
from ragbed.contracts.llm.differences import KNOWN

SEEDS = "options: other seeds give other texts"
ONE = {
    "a: rule": {"status": 200, "same": True},
    "b: other": {"status": 400},
    SEEDS: {"different": [True, True]},
}


def test_report_shows_what_each_server_gives() -> None:
    """Fact by fact, those that agree left out."""
    other = {**ONE, "a: rule": {"status": 200, "same": False}}

    assert report(ONE, other) == [
        "DIFFERS a: rule",
        "    A   same: True",
        "    B   same: False",
        "same    b: other",
        f"same    {SEEDS}",
        "3 rules: 2 the same, 0 known differences, 1 others",
    ]


def test_report_gives_the_reason_of_a_known_difference() -> None:
    """Whichever of the two is the mock."""
    mock = {**ONE, SEEDS: KNOWN[SEEDS].facts}

    assert report(mock, ONE)[2:] == [
        f"known   {SEEDS}",
        f"        {KNOWN[SEEDS].reason}",
        "3 rules: 2 the same, 1 known differences, 0 others",
    ]


def test_a_known_difference_excuses_no_other() -> None:
    """What neither the mock nor a real server gives is reported."""
    other = {**ONE, SEEDS: {"different": [True, False]}}

    assert report(ONE, other)[-1] == "3 rules: 2 the same, 0 known differences, 1 others"


@pytest.mark.parametrize("arguments", [[], ["http://127.0.0.1:1"], ["http://127.0.0.1:1"] * 2], ids=len)
def test_wrong_use_is_said_in_a_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Too few servers, and servers that are not there."""
    assert main(arguments) == 2
    assert capsys.readouterr().err.splitlines()[1:] == []
