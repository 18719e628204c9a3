"""The fixture `ragbed_environ`: the application under test finds the session's stack, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed_command import RagbedCommand

TESTS = """
import json, os, subprocess, sys
import pytest

NAMES = ["DATABASE_URL", "REDIS_URL", "QDRANT_URL", "OLLAMA_HOST"]


def test_before():
    assert [os.environ.get(name) for name in NAMES] == [None, "redis://127.0.0.1:1/0", None, None]


def test_set(ragbed_environ, ragbed_stack, monkeypatch):
    monkeypatch.undo()
    assert list(ragbed_environ) == NAMES
    assert {name: os.environ[name] for name in NAMES} == ragbed_environ
    assert ragbed_environ["DATABASE_URL"] == ragbed_stack["postgres"].url
    said = subprocess.run(
        [sys.executable, "-m", "ragbed", "env", "--format", "json"], capture_output=True, check=True, text=True
    ).stdout
    assert json.loads(said) == ragbed_environ


def test_taken_back():
    test_before()


@pytest.fixture(scope="session")
def ragbed_settings():
    from ragbed.settings import resolve_settings

    return resolve_settings(environ={**os.environ, "REDIS_URL": ""})
"""


def test_the_variables_are_those_of_ragbed_env_and_are_taken_back(ragbed_up: RagbedCommand) -> None:
    """What the developer's shell had is there again; the command and the fixture say the same."""
    folder: Path = ragbed_up.folder
    (folder / "test_environ.py").write_text(TESTS, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_environ.py"],
        cwd=folder,
        env=ragbed_up.variables(REDIS_URL="redis://127.0.0.1:1/0"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


UNDER_TEST = """
import os


def test_the_application_is_told_that_it_is_under_test(ragbed_environ):
    assert ragbed_environ["TEST_MODE"] == os.environ["TEST_MODE"] == "true"
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_session_tells_the_application_and_the_user_what_its_settings_mean(
    ragbed_up: RagbedCommand, workers: tuple[str, ...]
) -> None:
    """`[app] test_mode` reaches the application; what is not there yet is told once, and fails no strict run."""
    folder: Path = ragbed_up.folder
    (folder / "test_told.py").write_text(UNDER_TEST, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    environ = ragbed_up.variables(RAGBED_APP__TEST_MODE="true", DAILY_COST_LIMIT_USD="1.0")

    done = subprocess.run(
        [*command, *workers, "test_told.py"],
        cwd=folder,
        env={name: value for name, value in environ.items() if name != "TEST_MODE"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ragbed: budget.daily_usd = 1.0 (environment DAILY_COST_LIMIT_USD)") == 1
