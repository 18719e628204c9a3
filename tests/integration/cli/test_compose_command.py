"""`ragbed compose` on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand


def test_file_is_written_and_checked(ragbed: RagbedCommand) -> None:
    """It is written into the project's folder; `--check` fails until then, and after a change."""
    assert ragbed.run("compose", "--check").returncode == 1

    assert ragbed.run("compose").returncode == 0
    file = ragbed.folder / "compose.yaml"
    assert ragbed.run("compose", "--check").returncode == 0

    file.write_text(file.read_text().replace("5432", "5439"))
    done = ragbed.run("compose", "--check")
    assert done.returncode == 1
    assert "is not what the pins give" in done.stderr


def test_output_may_be_stdout(ragbed: RagbedCommand) -> None:
    """A dash writes no file."""
    done = ragbed.run("compose", "--output", "-")

    assert yaml.safe_load(done.stdout)["name"] == "ragbed"
    assert not (ragbed.folder / "compose.yaml").exists()


def test_own_pins_count(ragbed: RagbedCommand) -> None:
    """A project's own `stack.toml` moves a port."""
    (ragbed.folder / "stack.toml").write_text("[services.redis]\nport = 16379\n")

    services = yaml.safe_load(ragbed.run("compose", "--output", "-").stdout)["services"]

    assert services["redis"]["ports"] == ["127.0.0.1:${RAGBED_REDIS_PORT:-16379}:6379"]
