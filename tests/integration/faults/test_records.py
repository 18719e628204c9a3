"""State files that lie: cut short, overwritten, lost, or naming a number that another process bears by now."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from fault_writer import SINKS

from ragbed.stack import SERVICES
from ragbed.stack.record import load_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fault_place import Place

GARBAGE = {
    "half": '{"schema": 2, "stack": "ab',
    "other-form": '{"schema": 2, "endpoints": [5], "leases": []}',
    "older": '{"schema": 1}',
    "newer": '{"schema": 99}',
}


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process of somebody else."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_unreadable_record_ends_the_old_stack_and_a_new_one_starts(place: Place, text: str) -> None:
    """With stack.json spoilt, `up -d` ends what ran, starts a stack, and `down` leaves nothing."""
    place.run("up", "-d")
    place.folder.stack_file.write_text(text)

    codes = [place.run(*words).code for words in (["up", "-d"], ["status"], ["down"])]

    assert codes == [0, 0, 0]
    assert place.left() == []


@pytest.mark.parametrize("text", [GARBAGE["half"], None], ids=["half", "lost"])
def test_unreadable_lease_does_not_leave_its_process(place: Place, text: str | None) -> None:
    """With a lease spoilt or lost, `up -d` starts the service again on its data, and `down` leaves nothing."""
    place.run("up", "-d")
    record = load_record(place.folder) or pytest.fail("no stack")
    url = record.endpoints["redis"].url
    sink = SINKS["redis"](url)
    sink.write(7)
    sink.close()
    lease = place.folder.leases / f"{record.leases['redis']}.json"
    lease.unlink() if text is None else lease.write_text(text)

    again = place.run("up", "-d")
    sink = SINKS["redis"](url)
    kept = sink.read()
    sink.close()
    place.run("down")

    assert (again.code, kept) == (0, {7})
    assert place.left() == []


def test_down_ends_services_whose_leases_are_lost(place: Place) -> None:
    """`down` finds services by the token that they carry when no lease names them."""
    place.run("up", "-d")
    for path in place.folder.leases.glob("*.json"):
        path.unlink()

    place.run("down")

    assert place.left() == []


def test_a_pid_that_was_given_out_again_is_left_alone(
    place: Place, bystander: subprocess.Popen[bytes]
) -> None:
    """A lease whose number another process bears by now ends nothing of that process."""
    place.run("up", "-d")
    os.kill(place.pid("redis"), signal.SIGKILL)
    path = place.folder.leases / f"{place.lease('redis').token}.json"
    value = json.loads(path.read_text())
    value["resource"]["process"]["pid"] = bystander.pid
    path.write_text(json.dumps(value))

    again, down = place.run("up", "-d"), place.run("down")

    assert (again.code, down.code) == (0, 0)
    assert bystander.poll() is None


def test_stopped_services_are_reported(place: Place) -> None:
    """Services that hang are `no answer`, and nobody waits long; `up -d` does not call them fine, `down` ends them."""
    place.run("up", "-d")
    for service in SERVICES:
        os.kill(place.pid(service), signal.SIGSTOP)

    status = place.run("status", "--json")
    again = place.run("up", "-d")
    place.run("down")

    assert [service["state"] for service in json.loads(status.out)["services"]] == ["no answer"] * len(
        SERVICES
    )
    assert (status.code, again.code) == (10, 10)
    assert "postgres and redis and qdrant and ollama cannot be used" in again.error[0]
    assert place.left() == []
