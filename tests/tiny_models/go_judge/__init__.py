"""A program in Go that says what Ollama's own types take of a body, built with the module that `stack.toml` pins."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing
from ragbed.pins import load_stack_pins
from tiny_models.cached import built_once, tools_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ragbed.pins import GoChannel

SOURCE = Path(__file__).with_name("main.go")
KINDS = {"chat": b"c", "generate": b"g", "embed": b"e", "embeddings": b"m", "show": b"s"}
"""Endpoints below `/api/` by the letter of their type."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Go's decoder made of a body.

    Attributes:
        error: Its words; empty where it takes the body.
        text: What it read, as JSON that Go writes; it may be deep.
    """

    error: str
    text: str


def build() -> Path:
    """Return the program, building it where it is not there yet.

    Raises:
        ServiceMissing: There is no Go, or it cannot fetch the module.
    """
    pinned = load_stack_pins()["ollama"].channels.go
    if pinned is None or not shutil.which("go"):
        raise ServiceMissing("there is no Go toolchain to judge bodies with")
    key = sha256(SOURCE.read_bytes()).hexdigest()[:12]
    target = tools_folder() / "go-judge" / f"{pinned.version}-{key}"
    return built_once(target, lambda folder: _compile(pinned, folder)) / "judge"


def judge(program: Path, bodies: Iterable[tuple[str, bytes]]) -> Iterator[Verdict]:
    """Yield the verdict on each body, which comes with the name of its endpoint."""
    sent = b"".join(KINDS[path] + struct.pack(">I", len(body)) + body for path, body in bodies)
    done = subprocess.run([program], input=sent, capture_output=True, check=True)
    for line in done.stdout.splitlines():
        yield Verdict(*json.loads(line))


def _compile(pinned: GoChannel, folder: Path) -> None:
    """Build in a module of its own, whose sums are those that the pinned module brings along."""
    told = _go(folder, "mod", "download", "-json", f"{pinned.module}@v{pinned.version}")
    sums = Path(json.loads(told)["Dir"], "go.sum").read_text(encoding="utf-8")
    of_module = f"{pinned.module} v{pinned.version}"
    shutil.copy(SOURCE, folder)
    (folder / "go.mod").write_text(f"module judge\n\ngo 1.24\n\nrequire {of_module}\n")
    (folder / "go.sum").write_text(
        f"{sums}{of_module} {pinned.sum}\n{of_module}/go.mod {pinned.go_mod_sum}\n"
    )
    _go(folder, "build", "-mod=mod", "-o", "judge", ".")


def _go(folder: Path, *words: str) -> str:
    done = subprocess.run(["go", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise ServiceMissing(f"Go did not build the judge: {lines[-1] if lines else 'it said nothing'}")
    return done.stdout
