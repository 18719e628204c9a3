"""Errors as users see them: what happened, evidence, what to try; and each class its exit code."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ragbed import errors
from ragbed.errors import ExitCode, RagbedError, ServiceNotReady

if TYPE_CHECKING:
    from pathlib import Path

CODES = {
    "RagbedError": 1,
    "CheckFailed": 1,
    "UsageError": 2,
    "ConfigurationError": 2,
    "PinFileError": 2,
    "DocumentError": 1,
    "PipelineError": 1,
    "EmbeddingFailed": 1,
    "InputTooLong": 1,
    "IndexFailed": 1,
    "AnswerFailed": 1,
    "ServiceMissing": 10,
    "ServiceNotReady": 10,
    "DriftError": 11,
    "BudgetExceeded": 12,
    "GuardRefused": 13,
}


@pytest.mark.parametrize(("name", "code"), CODES.items(), ids=list(CODES))
def test_an_error_has_its_documented_exit_code(name: str, code: int) -> None:
    """The tree atop the module is what the classes say."""
    assert getattr(errors, name).exit_code == code


def test_the_tree_names_every_error() -> None:
    """No class is missing from the documented tree."""
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, RagbedError)
    }

    assert classes == set(CODES)
    assert [name for name in CODES if name not in (errors.__doc__ or "")] == []


def test_an_error_is_shown_as_message_details_and_hint() -> None:
    """The message comes first, details are indented, the hint is last."""
    error = ServiceNotReady("redis did not answer", details=["log: x", "pid: 7"], hint="ragbed logs redis")

    assert error.render() == "redis did not answer\n  log: x\n  pid: 7\ntry: ragbed logs redis"


def test_an_error_without_a_hint_offers_none() -> None:
    """There is no empty advice."""
    assert RagbedError("no").render() == "no"


def test_an_error_survives_the_way_home_from_a_worker() -> None:
    """Class, message, details and hint come back from a pickle."""
    error = ServiceNotReady("a", details=["b"], hint="c")

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert (type(copy), copy.render()) == (ServiceNotReady, error.render())


def test_a_users_mistake_is_no_traceback(tmp_path: Path) -> None:
    """A wrong setting ends with one line, a hint and exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "ragbed", "config", "explain"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "RAGBED_LLM__PROVIDR": "mock"},
    )

    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr == (
        "ragbed: RAGBED_LLM__PROVIDR (environment) is not a setting\ntry: did you mean RAGBED_LLM__PROVIDER?\n"
    )


def test_a_file_that_the_system_refuses_is_no_traceback(tmp_path: Path) -> None:
    """A file where a folder should be ends with one line that names it, and exit code 2."""
    (tmp_path / "state").touch()

    done = subprocess.run(
        [sys.executable, "-m", "ragbed", "up", "-d"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "RAGBED_STATE_DIR": str(tmp_path / "state")},
    )

    assert done.returncode == ExitCode.USAGE
    assert done.stderr == (
        f"ragbed: cannot write the state folder {tmp_path / 'state'}: File exists\n"
        "try: set RAGBED_STATE_DIR to a folder of yours\n"
    )


def test_an_interrupt_while_modules_are_read_is_no_traceback(tmp_path: Path) -> None:
    """Ctrl-C in the first tenth of a second ends as at any other time."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "ragbed", "status"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )

    assert (done.returncode, done.stderr) == (ExitCode.INTERRUPTED, "ragbed: interrupted\n")
