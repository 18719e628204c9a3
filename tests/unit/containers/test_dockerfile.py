"""The Dockerfile, what may enter its context, and the container of developers."""

from __future__ import annotations

import json
import re

from ragbed.containers.dockerfile import sources
from ragbed.containers.recipes import FROM_DOCKERFILE
from ragbed.containers.workshop import CHECKOUT

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
COPIED = [
    name
    for words in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for name in words.split()
]


def test_context_has_what_is_copied_and_nothing_else() -> None:
    """State, secrets and history stay outside; what the Dockerfile needs is let in."""
    let_in = {line.removeprefix("!").rstrip("/") for line in IGNORED if line.startswith("!")}

    assert "*" in IGNORED
    assert {name.rstrip("*") for name in COPIED} == {name.removesuffix("/ragbed") for name in let_in}


def test_local_build_sends_what_is_copied() -> None:
    """Wheels aside, the context that scripts/build-images makes is that of `docker build`."""
    sent = {name.split("/")[0] for name in sources()}

    assert sent == {"Dockerfile", *(name.split("/")[0] for name in COPIED if name != "wheels*")}


def test_every_local_image_has_a_target() -> None:
    """And a compose file or a container of developers can name it."""
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    developers = json.loads((CHECKOUT / ".devcontainer" / "devcontainer.json").read_bytes())["build"][
        "target"
    ]

    assert {image.name for image in FROM_DOCKERFILE} | {developers} <= targets


def test_no_digest_is_written_that_was_not_seen() -> None:
    """The base is an argument; the workflow `images` resolves its digest where there is a network."""
    assert "sha256:" not in DOCKERFILE
    assert DOCKERFILE.count("FROM ${BASE}") >= 3
