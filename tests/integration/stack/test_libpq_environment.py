"""The user's own libpq variables, meant for other servers, leave the private Postgres as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

VARIABLES = {
    "PGSSLMODE": "require",
    "PGSERVICE": "nosuch",
    "PGOPTIONS": "-c nosuch=1",
    "PGTARGETSESSIONATTRS": "read-only",
    "PGGSSENCMODE": "require",
    "PGHOSTADDR": "127.0.0.9",
}


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_of_libpq_does_not_reach_the_stack(variable: str, ragbed_up: RagbedCommand) -> None:
    """Status, migration and pipeline work as without it."""
    done = ragbed_up.run("smoke", "--stage", "migrate", **{variable: VARIABLES[variable]})

    assert done.returncode == 0, done.stderr


def test_a_shell_with_the_stacks_addresses_is_no_exception(ragbed_up: RagbedCommand) -> None:
    """`eval "$(ragbed env)"` gives the address, and it is still a Postgres of ours."""
    done = ragbed_up.run("smoke", "--stage", "migrate", **ragbed_up.urls(), **VARIABLES)

    assert done.returncode == 0, done.stderr
