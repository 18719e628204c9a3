"""What every test gets: an environment that says nothing, so that a developer's own settings change no outcome."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import hypothesis
import pytest

from ragbed.errors import RagbedError
from ragbed.settings import all_settings
from ragbed.stack import down
from ragbed.state import StateFolder
from ragbed_command import RagbedCommand
from shared_cache import start_with_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest_plugins = ["real_ollama", "small_disk"]

# A first example pays for imports, and a busy machine for the rest: time is measured in tests/performance.
hypothesis.settings.register_profile("ragbed", deadline=None)
hypothesis.settings.load_profile("ragbed")

_TIER = ("APP_ENV", "RAGBED_ROOT", "RAGBED_MODELS_LOCK", "RAGBED_STACK_FILE")
_POSTGRES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE")


@pytest.fixture(scope="session", autouse=True)
def silent_environment() -> Iterator[None]:
    """Take away whatever ragbed would listen to; the state folder of the run stays."""
    spoken = {name for setting in all_settings().values() for name in setting.env}
    spoken |= {f"{name}_FILE" for name in spoken}
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            own = name.startswith("RAGBED_") and "__" in name
            if own or name in {*spoken, *_TIER, *_POSTGRES} or name.startswith("FEATURE_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Give SIGINT its handler back, which a background job of a shell does without: children inherit "ignored"."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def warm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The caches of a state folder that had a stack: a start from them takes a quarter of a second."""
    folder = tmp_path_factory.mktemp("warm")
    command = RagbedCommand(state=folder / "state", folder=folder)
    try:
        assert command.run("up", "-d").returncode == 0
    finally:
        command.run("down", "--all")
    return command.state / "cache"


@pytest.fixture
def make_ragbed(
    warm_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RagbedCommand]]:
    """Makes command lines with a state folder each; takes down after the test what they left up."""
    with _commands(warm_cache, tmp_path_factory) as make:
        yield make


@contextmanager
def _commands(
    warm_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RagbedCommand]]:
    made: list[RagbedCommand] = []

    def make(**environ: str) -> RagbedCommand:
        folder = tmp_path_factory.mktemp("project")
        command = RagbedCommand(state=folder / "state", folder=folder, environ=environ)
        start_with_cache(StateFolder(command.state), warm_cache)
        made.append(command)
        return command

    try:
        yield make
    finally:
        # In this process: a `ragbed down` of its own would spend half a second on its imports, after hundreds of tests.
        for command in made:
            if any((command.state / "leases").glob("*.json")):
                with suppress(RagbedError):
                    down(StateFolder(command.state), everything=True)


@pytest.fixture
def ragbed(make_ragbed: Callable[..., RagbedCommand]) -> RagbedCommand:
    """The command line with a state folder of this test's own."""
    return make_ragbed()


@pytest.fixture(scope="module")
def ragbed_up(warm_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RagbedCommand]:
    """The command line with a stack that is up; tests that share it leave it up."""
    with _commands(warm_cache, tmp_path_factory) as make:
        command = make()
        done = command.run("up", "-d")
        assert done.returncode == 0, done.stderr
        yield command
