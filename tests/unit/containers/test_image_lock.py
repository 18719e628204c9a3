"""`requirements.image.lock`: the same versions and hashes as the lock, without what only developers need."""

from __future__ import annotations

import re

from ragbed.containers.workshop import CHECKOUT


def locked(name: str) -> dict[str, frozenset[str]]:
    """Hashes by requirement, its version and condition."""
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^(\S[^\n\\]*?) \\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    return {requirement: frozenset(re.findall(r"sha256:\w+", hashes)) for requirement, hashes in blocks}


def test_images_install_what_the_lock_says() -> None:
    """A new lock needs `scripts/lock`, which writes both."""
    everything = locked("requirements.lock")
    ours = locked("requirements.image.lock")

    assert ours
    assert {name: everything.get(name) for name in ours} == ours


def test_images_install_no_tool_of_developers() -> None:
    """Neither the tests' nor the linters' packages, and the engine of the embedded Qdrant."""
    names = {requirement.partition("==")[0] for requirement in locked("requirements.image.lock")}

    assert not names & {"pytest", "mypy", "ruff", "uv", "hatchling", "testcontainers"}
    assert {"qdrant-edge-py", "qdrant-client", "psycopg"} <= names
