"""Questions are asked at once, and none is waited for beyond the limit."""

from __future__ import annotations

from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING

import pytest

from processes_left import left_of, named_in
from ragbed.doctor.probing import Failed, ProgramOutput, Programs, Silent, gather
from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from pathlib import Path


def script(folder: Path, text: str) -> str:
    """Write a program and return its path."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


def test_questions_are_asked_at_once() -> None:
    """Each waits for all the others, so that one after the other would never end."""
    barrier = Barrier(5)
    questions = {str(n): lambda: barrier.wait(timeout=10) >= 0 for n in range(5)}

    assert gather(questions, timeout_s=20) == {str(n): True for n in range(5)}


def test_answers_keep_the_order_of_the_questions() -> None:
    """Whoever answers first."""
    first = Event()

    def late() -> str:
        first.wait(10)
        return "late"

    found = gather({"late": late, "early": lambda: first.set() or "early"}, timeout_s=20)

    assert list(found.items()) == [("late", "late"), ("early", "early")]


def test_who_does_not_answer_in_time_is_silent() -> None:
    """The others' answers are there."""
    never = Event()

    found = gather({"never": never.wait, "ever": lambda: 1}, timeout_s=0.9)
    never.set()

    assert found == {"never": Silent(0.9), "ever": 1}


@pytest.mark.parametrize("error", [ServiceMissing("not there"), OSError("no disk")], ids=["ours", "system's"])
def test_an_error_is_an_answer(error: ServiceMissing | OSError) -> None:
    """Of ours or of the system's: it is judged like a fact."""

    def fail() -> None:
        raise error

    assert gather({"x": fail}) == {"x": Failed(error)}


def test_an_error_that_is_returned_is_left_as_it_is() -> None:
    """A setting that could not be read is a fact already."""
    error = ServiceMissing("not there")

    assert gather({"x": lambda: error}) == {"x": error}


def test_a_mistake_of_ours_is_not_hidden() -> None:
    """It is raised where the answers are waited for."""
    with pytest.raises(ZeroDivisionError):
        gather({"x": lambda: 1 // 0})


def test_a_program_says_what_it_prints(tmp_path: Path) -> None:
    """Output, complaints, exit code and the version in them."""
    program = script(tmp_path, "echo tool 1.2.3; echo careful >&2")

    said = Programs().ask(program)

    assert said == ProgramOutput(path=program, code=0, out="tool 1.2.3\n", err="careful\n")
    assert (said.version, said.last_line) == ("1.2.3", "careful")


def test_a_program_that_fails_has_no_version(tmp_path: Path) -> None:
    """The number in its complaint is none."""
    said = Programs().ask(script(tmp_path, "echo needs libc 2.38 >&2; exit 1"))

    assert (said.code, said.version, said.last_line) == (1, "", "needs libc 2.38")


def test_a_program_that_cannot_run_says_why(tmp_path: Path) -> None:
    """A file of another machine's format, for example."""
    program = tmp_path / "program"
    program.write_bytes(b"\x00\x01 no program")
    program.chmod(0o755)

    said = Programs().ask(str(program))

    assert said.code is None
    assert "format" in said.err.lower()


def test_a_program_that_is_not_on_path_is_no_error() -> None:
    """It has no path."""
    assert Programs().ask("ragbed-no-such-program") == ProgramOutput()


def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    """Its child too."""
    program = script(tmp_path, f"sleep 600 & echo $$ $! > {tmp_path}/pids; wait")

    said = Programs(timeout_s=2).ask(program)

    assert said.hangs
    assert left_of(named_in(tmp_path / "pids")) == []


def test_after_the_end_nothing_is_started(tmp_path: Path) -> None:
    """A thread that was left behind may still want to."""
    programs = Programs()
    programs.end()

    programs.ask(script(tmp_path, f"touch {tmp_path}/started"))

    assert not (tmp_path / "started").exists()


def test_the_end_misses_no_program_that_is_just_starting(tmp_path: Path) -> None:
    """Whenever it comes: whoever asks has an answer at once, and so no program is left."""
    program = script(tmp_path, "exec sleep 600")

    for _ in range(10):
        programs = Programs(timeout_s=600)
        asking = [Thread(target=programs.ask, args=(program,), daemon=True) for _ in range(8)]
        for thread in asking:
            thread.start()
        programs.end()
        for thread in asking:
            thread.join(20)
        assert [thread for thread in asking if thread.is_alive()] == []
