"""Run the suites on every launcher, and make the matrix of what they gave."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.errors import UsageError
from ragbed.parity.launchers import planned
from ragbed.parity.matrix import rows_of
from ragbed.parity.place import Place
from ragbed.parity.records import Column, ParityReport
from ragbed.settings import definitions as known
from ragbed.stack import running_stack
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.events import EventSink
    from ragbed.parity.launchers import LauncherPlan
    from ragbed.parity.suites import Facts, Suite
    from ragbed.settings import Settings
    from ragbed.stack import Stack
    from ragbed.state import StateFolder


def run_parity(
    settings: Settings,
    folder: StateFolder,
    *,
    launchers: Sequence[str] = (),
    suites: Sequence[str] = (),
    events: EventSink,
) -> ParityReport:
    """Run the suites on every launcher that is there.

    Args:
        settings: What the user chose; the addresses in it are what is attached to.
        folder: The state folder.
        launchers: Names of those to compare; empty for all.
        suites: Names of those to run; empty for all.
        events: Told of each suite that begins.

    Raises:
        UsageError: No launcher that was asked for is there.
        ServiceMissing: A launcher cannot have a service.
        GuardRefused: Production, or an attached store without the marker.
    """
    from ragbed.parity.suites import SUITES  # noqa: PLC0415 - the suites' clients take 1 s to import

    chosen = [suite for suite in SUITES if not suites or suite.name in suites]
    observed: dict[str, dict[str, Facts]] = {suite.name: {} for suite in chosen}
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    for plan in _chosen(planned(settings), launchers):
        if plan.absent:
            columns.append(Column(launcher=plan.name, absent=plan.absent, services={}))
            continue
        began = time.monotonic()
        with running_stack(plan.settings(), folder=folder, caller="command", private=True) as stack:
            place = Place(stack=stack, settings=_attached(plan, stack), folder=folder)
            for suite in _judging(chosen, plan, place):
                events.emit("stage.progress", suite.name, line=f"{plan.name}: {suite.name}")
                observed[suite.name][plan.name] = suite.observe(place)
                left_out.update(suite.left_out(place))
            column = Column(launcher=plan.name, services=stack.endpoints)
        columns.append(replace(column, seconds=time.monotonic() - began))
    there = [column.launcher for column in columns if not column.absent]
    return ParityReport(
        columns=tuple(columns),
        cases={suite.name: max(map(len, observed[suite.name].values()), default=0) for suite in chosen},
        rows=tuple(row for suite in chosen for row in rows_of(suite, observed[suite.name], there, left_out)),
        left_out=left_out,
    )


def _chosen(plans: Sequence[LauncherPlan], names: Sequence[str]) -> list[LauncherPlan]:
    """Return the launchers that were asked for; all where none was.

    Raises:
        UsageError: None of those that were asked for is there.
    """
    chosen = [plan for plan in plans if not names or plan.name in names]
    if all(plan.absent for plan in chosen):
        raise UsageError(
            f"there is nothing to compare by {', '.join(names)}",
            details=[f"{plan.name}: {plan.absent}" for plan in chosen],
            hint="ragbed parity --launcher process",
        )
    return chosen


def _judging(suites: Sequence[Suite], plan: LauncherPlan, place: Place) -> list[Suite]:
    """Return the suites that judge what this launcher brought: what was started beside it is judged as a process."""
    return [
        suite for suite in suites if not suite.service or place.stack[suite.service].launcher == plan.name
    ]


def _attached(plan: LauncherPlan, stack: Stack) -> Settings:
    """Return the settings with the addresses of a stack that is up; the user's own keep their keys beside them."""
    given = {kind_of(name).url.key: one.url for name, one in stack.endpoints.items() if not one.given}
    llm = stack["ollama"]
    mock = {} if llm.real or llm.given else {known.LLM_MOCK_URL.key: llm.url}
    return plan.settings({**given, **mock})
