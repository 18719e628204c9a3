"""The verdict on a client of an LLM: how it behaved while the mock refused, delayed and broke off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_MOST_TRIES = 10
_EARLY = 0.05
"""So large a share of Retry-After may be missing: clocks and sleeps are not exact."""
_EVEN = 1.25
"""Pauses are of one length where all but the longest are at most so many times the shortest: a busy machine makes a
pause longer now and then, and back-off most of them."""
_NO_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """One call of several with the same request.

    Attributes:
        began: When the mock read it.
        ended: When the mock had answered it.
        fault: What met it; None where it was answered.
    """

    began: datetime
    ended: datetime
    fault: Mapping[str, Any] | None

    @property
    def status(self) -> int:
        """Return the status of its refusal; 0 for none."""
        return int(self.fault["status"]) if self.fault else 0

    @property
    def is_cut(self) -> bool:
        """Tell whether its answer broke off."""
        return self.fault is not None and not self.status and self.fault["cut_after"] >= 0

    @property
    def retry_after_s(self) -> float | None:
        """Return the seconds of its Retry-After; None where it has none, or a date."""
        headers = {name.lower(): value for name, value in (self.fault or {}).get("headers", {}).items()}
        try:
            return float(headers["retry-after"])
        except (KeyError, ValueError):
            return None


def judge(calls: Iterable[Mapping[str, Any]], faults: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what a client did wrong, a sentence each; empty where it behaved.

    Calls with the same request are tries of one. It is wrong to ask again before Retry-After is over, at an even pace,
    for what will be refused again, or without an end; and not to ask again at all after a fault that passes.

    Source: RFC 9110, "Retry-After"; "Exponential Backoff And Jitter" of the AWS Architecture Blog.

    Args:
        calls: As the mock's journal has them, in order.
        faults: As the mock has them.
    """
    by_id = {str(fault["id"]): fault for fault in faults}
    by_request = sorted(calls, key=lambda call: (call["key"], call["at"]))
    problems: list[str] = []
    for _, same in groupby(by_request, key=lambda call: str(call["key"])):
        tries = [_try(call, by_id) for call in same]
        if any(one.fault for one in tries):
            problems += _judge_tries(tries)
    return problems


def _try(call: Mapping[str, Any], faults: Mapping[str, Mapping[str, Any]]) -> _Try:
    began = datetime.fromisoformat(call["at"])
    fault = faults.get(call["fault"]) if call["fault"] else None
    return _Try(began=began, ended=began + timedelta(seconds=call["seconds"]), fault=fault)


def _judge_tries(tries: Sequence[_Try]) -> list[str]:
    problems = [problem for one, after in pairwise(tries) if (problem := _judge_repeat(one, after))]
    failed = [one for one in tries if one.status or one.is_cut]
    if len(failed) > _MOST_TRIES:
        problems.append(f"it did not give up: {len(failed)} tries of one request failed")
    if len(tries) == 1 and failed and (failed[0].is_cut or failed[0].status in _WORTH_REPEATING):
        what = "an answer that broke off" if failed[0].is_cut else f"HTTP {failed[0].status}"
        problems.append(f"it did not ask again after {what}")
    return problems + _judge_pace(tries)


def _judge_repeat(one: _Try, after: _Try) -> str:
    """Return what is wrong with asking again after a try; empty where nothing is."""
    pause_s = (after.began - one.ended).total_seconds()
    if one.status and one.status not in _WORTH_REPEATING:
        return f"it asked again after HTTP {one.status}, which will be refused again"
    if one.retry_after_s is not None and pause_s < one.retry_after_s * (1 - _EARLY):
        return f"it asked again after {pause_s:.2f} s, and Retry-After said {one.retry_after_s:g} s"
    return ""


def _judge_pace(tries: Sequence[_Try]) -> list[str]:
    """Look at the pauses that the client chose by itself: three of one length are not a back-off with jitter."""
    pauses = [
        (after.began - one.ended).total_seconds()
        for one, after in pairwise(tries)
        if one.status in _WORTH_REPEATING and one.retry_after_s is None
    ]
    if len(pauses) < 3:
        return []
    usual = sorted(pauses)[-2]
    if usual <= max(_EVEN * min(pauses), _NO_PAUSE_S):
        return [
            f"it asked {len(pauses)} times again at an even pace of {usual:.2f} s, without back-off and jitter"
        ]
    return []
