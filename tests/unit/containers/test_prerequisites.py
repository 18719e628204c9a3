"""What images cannot be built without: each said in one line, with what to type."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ragbed.containers.daemon import require_daemon
from ragbed.containers.local_images import local_override
from ragbed.containers.registry import running_registry
from ragbed.containers.roots import require_mmdebstrap
from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an empty PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("nothing_installed")
def test_missing_programs_are_named(tmp_path: Path) -> None:
    """The package that has them is, too."""
    with pytest.raises(ServiceMissing, match="there is no docker command") as docker:
        require_daemon()
    with pytest.raises(ServiceMissing, match="there is no mmdebstrap") as mmdebstrap:
        require_mmdebstrap()
    with (
        pytest.raises(ServiceMissing, match="there is no docker-registry") as registry,
        running_registry(tmp_path),
    ):
        pass

    assert docker.value.hint == "apt-get install docker.io"
    assert mmdebstrap.value.hint == "apt-get install mmdebstrap docker-registry"
    assert registry.value.hint == "apt-get install docker-registry"


def test_daemon_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what docker said, and how to start or name one."""
    if not shutil.which("docker"):
        pytest.skip("there is no docker command")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    with pytest.raises(ServiceMissing, match="no Docker daemon answers") as caught:
        require_daemon()

    assert f"{tmp_path}/docker.sock" in " ".join(caught.value.details)
    assert "DOCKER_HOST" in caught.value.hint


def test_user_without_root_or_namespace_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mmdebstrap` alone is not enough."""
    program = tmp_path / "mmdebstrap"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(ServiceMissing, match="made by root, or in a user namespace"):
        require_mmdebstrap()


def test_override_needs_local_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ragbed compose --images local` says what builds them."""
    monkeypatch.setenv("RAGBED_TOOLS_DIR", str(tmp_path))

    with pytest.raises(ServiceMissing, match="no local images were built yet") as caught:
        local_override()

    assert caught.value.hint == "./scripts/build-images"
