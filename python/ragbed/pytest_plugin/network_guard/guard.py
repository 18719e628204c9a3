"""The guard of this process: an audit hook that works while a test runs, and what it refused."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import GuardRefused
from ragbed.pytest_plugin.layers import layer_of
from ragbed.pytest_plugin.network_guard.rules import refusal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_CHILD = Path(__file__).parent / "child"
_FRAMES = 12


class NetworkRefused(GuardRefused):
    """A test tried to reach what it may not."""


class NetworkGuard:
    """Refuses connections and look-ups while a test runs, and fails the test though its code swallows the refusal.

    An audit hook sees what every Python library does, in threads and event loops too, without replacing a class that
    libraries subclass. It does not see libraries that open sockets in C of their own (uvloop, libpq), nor children
    that are not Python.
    """

    def __init__(self) -> None:
        self._watching = False
        self._only_loopback = False
        self._refused: list[str] = []
        self._log = ""
        sys.addaudithook(self._look)  # Python cannot take it away: it does nothing while no test runs

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._watching or not event.startswith("socket."):
            return
        if told := refusal(event, arguments, only_loopback=self._only_loopback):
            stack = traceback.extract_stack(limit=_FRAMES)[:-1]  # without this line
            self._refused.append("".join([f"{told}\n", *traceback.format_list(stack)]))
            raise NetworkRefused(f"the network guard refused it: {told}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Watch a test; fail it where something was refused, whatever it came to by itself."""
        only_loopback = layer_of(item) == "unit"
        with self._watched(only_loopback=only_loopback):
            try:
                yield
            finally:
                refused = "\n".join([*self._refused, *self._of_children()])
                if refused:
                    item.add_report_section("call", "refused by ragbed's network guard", refused)
        if refused:
            rule = "a unit test stays on this machine" if only_loopback else "no test reaches a paid API"
            pytest.fail(f"{rule}, and this one went beyond: {refused.splitlines()[0]}", pytrace=False)

    @contextmanager
    def _watched(self, *, only_loopback: bool) -> Iterator[None]:
        self._refused.clear()
        self._only_loopback = only_loopback
        with (
            tempfile.TemporaryDirectory(prefix="ragbed-network-") as folder,
            pytest.MonkeyPatch.context() as patch,
        ):
            self._log = str(Path(folder, "refused"))
            patch.setenv("RAGBED_NETWORK_LOG", self._log)
            patch.setenv("RAGBED_NETWORK_LOOPBACK", "1" if only_loopback else "0")
            patch.setenv("PYTHONPATH", str(_CHILD), prepend=os.pathsep)
            self._watching = True
            try:
                yield
            finally:
                self._watching = False

    def _of_children(self) -> list[str]:
        try:
            return Path(self._log).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []


def network_guard() -> NetworkGuard | None:
    """Return the guard of a project that uses ragbed and allows no real call; None for any other.

    `FAIL_ON_REAL_API_CALL` decides; where it is not set, the guard is on in the tiers without paid providers.
    """
    from ragbed.project import project_folder  # noqa: PLC0415 - costs nothing where no project uses ragbed
    from ragbed.settings import definitions as known  # noqa: PLC0415 - as above
    from ragbed.settings import resolve_settings  # noqa: PLC0415 - as above

    settings = resolve_settings(folder=project_folder())
    wanted = (
        settings[known.LLM_FAIL_ON_REAL_CALL]
        if settings.is_given(known.LLM_FAIL_ON_REAL_CALL)
        else not settings.tier.paid_allowed
    )
    return NetworkGuard() if wanted else None
