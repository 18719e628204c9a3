"""One stage after the other, until one fails or the last one that was asked for has passed."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ragbed.errors import CheckFailed, ExitCode, RagbedError
from ragbed.smoke.stages import EVIDENCE, STAGE_NAMES
from ragbed.stack.full_disk import full_disk_hint, log_tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.events import EventSink
    from ragbed.smoke.plan import Seen, SmokePlan
    from ragbed.smoke.report import Status
    from ragbed.stack import Stack

P = ParamSpec("P")
T = TypeVar("T")


class Ended(Exception):
    """No further stage runs: one failed, or the last one that was asked for has passed."""


class StageRunner:
    """Runs stages and keeps how each ended.

    Args:
        plan: Of the run.
        stack: Returns the run's stack; None while there is none.
        events: Told of each stage that begins and ends.

    Attributes:
        error: Why the run failed, with what its logs say; None while it has not.
        stage: The stage that runs, or was the last to run.
    """

    def __init__(
        self,
        plan: SmokePlan,
        *,
        stack: Callable[[], Stack | None],
        events: EventSink,
    ) -> None:
        self._plan = plan
        self._stack = stack
        self._events = events
        self._why_ended = ""
        self._ended = 0
        self.error: RagbedError | None = None
        self.stage = ""

    def run(self, name: str, stage: Callable[P, Seen[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a stage and return its value, also where it failed and still has one.

        Args:
            name: Of the stage, one of `STAGE_NAMES`.
            stage: What it does.
            args: What it takes.
            kwargs: What it takes by name.

        Raises:
            Ended: An earlier stage was the last one, or this one failed without a value.
        """
        if self._why_ended:
            raise Ended
        self.stage, began = name, time.monotonic()
        self._events.emit("stage.begun", name)
        try:
            seen = stage(*args, **kwargs)
        except Exception as error:
            self._end(name, time.monotonic() - began, failure=_known(error))
            raise Ended from error
        self._end(name, time.monotonic() - began, line=seen.line, failure=seen.failure)
        return seen.value

    def reaches(self, name: str) -> bool:
        """Tell whether the run was asked to come as far as a stage.

        Args:
            name: Of the stage, one of `STAGE_NAMES`.
        """
        last = self._plan.options.last_stage
        return last is None or STAGE_NAMES.index(name) <= STAGE_NAMES.index(last)

    def skip_the_rest(self) -> None:
        """Note every stage that did not run as skipped, with the reason."""
        for name in STAGE_NAMES[self._ended :]:
            self._tell(name, "skipped", 0.0, self._why_ended)

    def _end(self, name: str, seconds: float, *, line: str = "", failure: RagbedError | None) -> None:
        error = self._with_endings(failure) if failure else None
        if error:
            self._tell(name, "failed", seconds, error.message)
            self.error = self._described(name, error)
            self._why_ended = f"after the failure of {name}"
            return
        self._tell(name, "passed", seconds, line)
        if name == self._plan.options.last_stage:
            self._why_ended = "not asked for"

    def _tell(self, name: str, status: Status, seconds: float, detail: str) -> None:
        self._ended += 1
        self._events.emit("stage.ended", name, seconds=seconds, status=status, detail=detail)

    def _with_endings(self, error: RagbedError) -> RagbedError:
        """Return an error that says first which service has ended: what a stage met is only how it noticed."""
        stack = self._stack()
        ended = stack.ended() if stack else {}
        if not (stack and ended):
            return error
        logs = {name: self._plan.folder.log(stack.id, name) for name in ended}
        services = " and ".join(f"{name} of this run ended ({how})" for name, how in ended.items())
        return type(error)(
            f"{services}: {error.message}",
            details=[*error.details, *(f"log of {name}: {log}" for name, log in logs.items())],
            hint=full_disk_hint(self._plan.folder, [line for log in logs.values() for line in log_tail(log)])
            or f"read the log, {next(iter(logs.values()))}",
        )

    def _described(self, stage: str, error: RagbedError) -> RagbedError:
        """Return the failure with the last words of the services that the stage used."""
        stack = self._stack()
        logs = [
            f"{service} log: {line}"
            for service in EVIDENCE[stage]
            if stack
            for line in log_tail(self._plan.folder.log(stack.id, service), 3)
        ]
        # A wrong file or setting is not in any log; the doctor shows them all.
        look = (
            "ragbed doctor"
            if error.exit_code == ExitCode.USAGE
            else f"ragbed smoke --stage {stage} --keep, then ragbed logs"
        )
        return type(error)(error.message, details=[*error.details, *logs], hint=error.hint or look)


def _known(error: Exception) -> RagbedError:
    """Return an error as one of ours; any other comes with the end of its traceback."""
    if isinstance(error, RagbedError):
        return error
    frames = traceback.format_exception(error)[-3:]
    return CheckFailed(
        f"{type(error).__name__}: {error}",
        details=[line for frame in frames for line in frame.rstrip().splitlines()],
        hint="this is not an error that ragbed knows: please report it with the lines above",
    )
