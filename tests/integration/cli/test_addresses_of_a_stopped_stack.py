"""A shell that still has the addresses of a stack which is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand


def test_down_names_the_variables_that_still_lead_to_it(ragbed: RagbedCommand) -> None:
    """What is set to something else is none of its business."""
    assert ragbed.run("up", "-d").returncode == 0
    urls = {**ragbed.urls(), "REDIS_URL": "redis://127.0.0.1:1/0"}

    done = ragbed.run("down", **urls)

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Its data is deleted; --keep would have kept it",
        "This shell still has its addresses: unset DATABASE_URL QDRANT_URL OLLAMA_HOST",
    ]


def test_status_does_not_advise_an_up_that_would_be_refused(ragbed: RagbedCommand) -> None:
    """`ragbed up` does not replace a service that a variable names: unsetting comes first."""
    done = ragbed.run("status", REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "Try: unset REDIS_URL; ragbed up -d" in done.stdout
