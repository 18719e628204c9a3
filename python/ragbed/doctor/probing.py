"""Ask programs and servers, all at once, and wait for none longer than the limit."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from ragbed.errors import RagbedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_VERSION = re.compile(r"\d+(?:\.\d+)+")
PROGRAM_S = 2.5
"""How long a program may take to tell its version."""

PROBE_S = 6.0
"""How long any one question may take: two programs that hang, or a given service that does."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A question without an answer in time.

    Attributes:
        seconds: How long it was waited for.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A question that could not be asked.

    Attributes:
        error: Why.
    """

    error: RagbedError | OSError


@dataclass(frozen=True, slots=True)
class _Mistake:
    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramOutput:
    """What a program printed.

    Attributes:
        path: The program; empty when none of that name is on PATH.
        code: Its exit code; None when it could not run or did not end in time.
        out: Its output.
        err: Its complaints.
        hangs: True when it did not end in time.
    """

    path: str = ""
    code: int | None = None
    out: str = ""
    err: str = ""
    hangs: bool = False

    @property
    def version(self) -> str:
        """The first version in what it printed, else in what it complained of; empty where it ended badly."""
        match = _VERSION.search(self.out) or _VERSION.search(self.err)
        return match[0] if match and self.code == 0 else ""

    @property
    def last_line(self) -> str:
        """The last line of what it complained of, else of what it printed."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip() if lines else ""


class Programs:
    """Runs programs that only tell something; those that hang are killed, with whatever they started.

    Args:
        timeout_s: How long each may take.
    """

    def __init__(self, *, timeout_s: float = PROGRAM_S) -> None:
        self.timeout_s = timeout_s
        self._running: set[subprocess.Popen[str]] = set()
        self._starting = Lock()  # a program is known from its start on, so that `end` misses none
        self._ended = False

    def find(self, name: str) -> str:
        """Return the path of a program on PATH; empty when there is none."""
        program = shutil.which(name)
        return str(Path(program).absolute()) if program else ""

    def ask(self, name: str, *words: str, environ: Mapping[str, str] | None = None) -> ProgramOutput:
        """Run a program of that name or path and return what it printed.

        Args:
            name: A name on PATH, or a path.
            words: Its arguments.
            environ: Variables beside ours.
        """
        path = name if Path(name).is_absolute() else self.find(name)
        if not path:
            return ProgramOutput()
        try:
            process = self._start([path, *words], {**os.environ, **(environ or {})})
        except OSError as error:
            return ProgramOutput(path=path, err=error.strerror or str(error))
        if process is None:
            return ProgramOutput(path=path)
        try:
            return self._said(process, path)
        finally:
            self._running.discard(process)

    def end(self) -> None:
        """Kill what still runs, and start no more: for a caller that no longer waits for the answers."""
        with self._starting:
            self._ended = True
        for process in list(self._running):
            _kill(process)

    def _start(self, command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[str] | None:
        with self._starting:
            if self._ended:
                return None
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                cwd="/",  # so that no project's own files have a word
                env=environ,
                start_new_session=True,
            )
            self._running.add(process)
            return process

    def _said(self, process: subprocess.Popen[str], path: str) -> ProgramOutput:
        with process:
            try:
                out, err = process.communicate(timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                _kill(process)
                return ProgramOutput(path=path, hangs=True)
            return ProgramOutput(path=path, code=process.returncode, out=out, err=err)


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a program and the processes of its session's group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def gather(questions: Mapping[str, Callable[[], Any]], *, timeout_s: float = PROBE_S) -> dict[str, Any]:
    """Ask every question in a thread of its own, and return the answers by name, in the same order.

    An answer is what the question returned, `Failed` where it raised one of our errors or one of the system's, and
    `Silent` where it took too long: its thread is left behind and ends with the process.

    Args:
        questions: What to call, by name.
        timeout_s: How long all of them may take.
    """
    answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for name, question in questions.items():
        Thread(target=_answer, args=(name, question, answers), name=f"doctor-{name}", daemon=True).start()
    by_name: dict[str, Any] = {}
    deadline = time.monotonic() + timeout_s
    while len(by_name) < len(questions):
        try:
            name, answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(answer, _Mistake):
            raise answer.error
        by_name[name] = answer
    return {name: by_name.get(name, Silent(timeout_s)) for name in questions}


def _answer(name: str, question: Callable[[], Any], answers: queue.SimpleQueue[tuple[str, Any]]) -> None:
    try:
        answer = question()
    except (RagbedError, OSError) as error:
        answer = Failed(error)
    except BaseException as error:  # a mistake of ours: raised again by the thread that waits
        answer = _Mistake(error)
    answers.put((name, answer))
