"""`ragbed migrate` on a stack that is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand


def test_a_second_migration_changes_nothing(ragbed_up: RagbedCommand) -> None:
    """Both name the same revision, for people and as JSON."""
    first = ragbed_up.run("migrate")
    again = ragbed_up.json("migrate")

    assert first.returncode == 0, first.stderr
    assert first.stdout == f"the schema of default is at {again['revision']}\n"
    assert again == {"namespace": "default", "revision": again["revision"]}


def test_without_a_stack_it_says_what_to_start(ragbed: RagbedCommand) -> None:
    """Nothing is started for it."""
    done = ragbed.run("migrate")

    assert (done.returncode, done.stdout) == (ExitCode.SERVICE_MISSING, "")
    assert "ragbed up" in done.stderr


def test_production_is_refused(ragbed: RagbedCommand) -> None:
    """A schema of production is not touched."""
    assert ragbed.run("migrate", APP_ENV="production").returncode == ExitCode.REFUSED
