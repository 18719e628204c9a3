"""What a daemon's refusals mean: one line each, with the cause and what to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.stack.launchers.container.docker_errors import explained
from ragbed.stack.readiness import PortTaken

docker_errors = pytest.importorskip("docker.errors", reason="the extra `containers` is not installed")

ORDER: Any = SimpleNamespace(service="redis")
DAEMON: Any = SimpleNamespace(url="unix:///var/run/docker.sock")
SAID = {
    "full disk": (
        "failed to register layer: write /usr/bin/x: no space left on device",
        "the daemon's disk is full: redis cannot be started: failed to register layer",
        "docker system prune",
    ),
    "another processor": (
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        "the image of redis is not for this machine's processor: no matching manifest",
        "pin an image of this architecture in stack.toml",
    ),
    "whatever else": (
        "unable to find user nobody\n",
        "the daemon does not start redis: unable to find user nobody",
        "docker info shows more",
    ),
}


@pytest.mark.parametrize(("said", "message", "hint"), SAID.values(), ids=SAID)
def test_a_refusal_is_one_line(said: str, message: str, hint: str) -> None:
    """With the daemon's own words behind the cause."""
    with pytest.raises(ServiceNotReady) as caught, explained(ORDER, DAEMON):
        raise docker_errors.APIError("500 Server Error", explanation=said)

    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "said",
    [
        "driver failed programming external connectivity: Bind for 127.0.0.1:5432 failed: port is already allocated",
        "rootlessport listen tcp 127.0.0.1:5432: bind: address already in use",
    ],
    ids=["Docker", "rootless"],
)
def test_a_port_that_is_taken_is_told_as_that(said: str) -> None:
    """In a rootless network too; a start that may have any port tries another one."""
    with pytest.raises(PortTaken) as caught, explained(ORDER, DAEMON):
        raise docker_errors.APIError("500 Server Error", explanation=said)

    assert "cannot have its port" in caught.value.reason.message


def test_a_daemon_that_has_gone_is_missing() -> None:
    """The lease stays, and the next command removes what is left."""
    with (
        pytest.raises(ServiceMissing, match="stopped answering while redis was started"),
        explained(ORDER, DAEMON),
    ):
        raise docker_errors.DockerException("connection reset")
