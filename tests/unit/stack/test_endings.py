"""How processes that we started have ended by themselves."""

from __future__ import annotations

import os
import subprocess

from ragbed.stack.processes import ProcessIdentity, endings, remember_child, stop


def started(script: str) -> ProcessIdentity:
    """Start a shell script as the stack starts its services."""
    process = subprocess.Popen(["/bin/sh", "-c", script])
    remember_child(process)
    return ProcessIdentity.of(process.pid)


def test_an_end_is_told_by_exit_code_or_signal() -> None:
    """A service that gave up, and one that was killed."""
    processes = {"gave up": started("exit 3"), "killed": started("kill -9 $$")}

    found = endings(processes, within_s=20)
    for process in processes.values():
        stop(process)

    assert found == {"gave up": "exit code 3", "killed": "killed by signal 9"}


def test_what_goes_on_has_no_end() -> None:
    """Neither has what we did not start, of which nothing is known."""
    goes_on = started("exec sleep 600")
    try:
        found = endings({"goes on": goes_on, "not ours": ProcessIdentity.of(os.getppid())}, within_s=0)
    finally:
        stop(goes_on)

    assert found == {}
