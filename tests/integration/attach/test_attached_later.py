"""A service of others that was right when the stack came up, and is of no use later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import other_redis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from other_redis import Redis

    from ragbed_command import RagbedCommand


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Valkey of others, which the test changes."""
    with other_redis.server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def attached(redis: Redis, make_ragbed: Callable[..., RagbedCommand]) -> RagbedCommand:
    """A stack that is up on it."""
    command = make_ragbed(REDIS_URL=redis.url(), USE_MOCK_LLM="true")
    for words in (("adopt", "--yes", redis.url()), ("up", "-d")):
        done = command.run(*words)
        assert done.returncode == 0, done.stderr
    (command.folder / "one.md").write_text("# One\n\nA document.\n")
    return command


@pytest.mark.parametrize(
    ("settings", "cause", "hint"),
    [
        pytest.param(
            {"requirepass": "sesame"},
            "it needs a password, and the address has none (NOAUTH)",
            "mend it, or leave it: ragbed down, unset REDIS_URL, ragbed up -d",
            id="password",
        ),
        pytest.param(
            {"maxmemory": "1", "maxmemory_policy": "noeviction"},
            "it refuses writes, since its memory is full (maxmemory) (OOM)",
            "raise its maxmemory, or empty it; then ragbed down && ragbed up -d",
            id="memory-full",
        ),
    ],
)
def test_every_command_names_the_cause(
    attached: RagbedCommand, redis: Redis, settings: dict[str, str], cause: str, hint: str
) -> None:
    """`ingest` and `up` end with it in the error's first line; `status` and `doctor` show it beside the service."""
    other_redis.configure(redis, **settings)

    for words in (("ingest", "."), ("up", "-d")):
        done = attached.run(*words)
        lines = done.stderr.splitlines()
        assert done.returncode == 10
        assert [cause in line for line in lines if line.startswith("ragbed: ")][-1]
        assert lines[-1] == f"try: {hint}"
    for command in ("status", "doctor"):
        told = attached.run(command)
        shown = [line for line in told.stdout.splitlines() if cause in line]
        assert len(shown) == 1, told.stdout + told.stderr
        assert shown[0].startswith("redis")
