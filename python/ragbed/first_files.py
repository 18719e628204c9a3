"""The first files of a project that uses ragbed: its settings, its own pins, and what git leaves alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.pins import refuse_installed
from ragbed.pins.in_force import our_pin_file
from ragbed.project import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """\
# Settings of this project for ragbed. All are commented out: each line shows what can be set, not what is.
# `ragbed config explain` lists every setting, its value and where it came from; the environment overrules this file.
# What is yours alone goes into ragbed.local.toml, which git must not track.

# The models of this project, as the mock LLM answers for them where no live Ollama has them:
# [mock.models]
# bge-m3 = { dimensions = 1024 }
# my-chat = { capabilities = ["completion", "tools"] }

# The models that ragbed's own pipeline takes (`ragbed ingest`, `ragbed ask`, `ragbed smoke`):
# [embedding]
# model = "bge-m3"
# [llm]
# model = "my-chat"

# Always a stack of this project's own, whatever listens on the default ports:
# [stack]
# default_ports = false
"""
PINS = """\
# What this project pins itself: keys of ragbed's stack.toml, and only those that differ. See `ragbed pins`.
# What is left out here is ragbed's, and moves with it; `ragbed init --whole-pins` writes all of it down instead.
schema = 1

# [services.redis.accept]
# valkey = ">=9,<10"

# [services.qdrant.limits]
# memory_mb = 2048
"""
LOCK = """\
{
  "schema": 1,
  "default": "small"
}
"""
IGNORED = (f"{FOLDER}/", "ragbed.local.toml")
"""What git must not track: the state folder, and the file of one developer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFiles:
    """What was done to a project.

    Attributes:
        folder: The project.
        written: Names of the files that were written.
        kept: Names of files that were there already, and stay as they are.
        ignored: What was added to `.gitignore`; empty where nothing was, or where the project is not in git.
    """

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    ignored: tuple[str, ...]


def write_first_files(folder: Path, *, whole_pins: bool = False) -> FirstFiles:
    """Write the first files of a project; a file that is there is never touched, `.gitignore` is added to.

    Args:
        folder: The project.
        whole_pins: Write ragbed's pin files whole, so that another ragbed changes no version; else a first part.

    Raises:
        ConfigurationError: The folder belongs to an installed package, or its `.gitignore` is not UTF-8.
        OSError: A file cannot be written.
    """
    texts = {"ragbed.toml": SETTINGS, "stack.toml": PINS, "models.lock.json": LOCK}
    if whole_pins:
        ours = {name: our_pin_file(name) for name in ("stack.toml", "models.lock.json")}
        texts |= {name: path.read_text(encoding="utf-8") for name, path in ours.items()}
    for name in texts:
        refuse_installed(folder / name)
    ignored = _ignore(folder)  # first: where that cannot be done, nothing is
    written = tuple(name for name, text in texts.items() if _written(folder / name, text))
    kept = tuple(name for name in texts if name not in written)
    return FirstFiles(folder=folder, written=written, kept=kept, ignored=ignored)


def _written(path: Path, text: str) -> bool:
    """Write a file that is not there; a link that leads nowhere is there."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with file:
            file.write(text)
    except BaseException:  # a full disk, for example: an empty file would count, and be kept the next time
        path.unlink()
        raise
    return True


def _ignore(folder: Path) -> tuple[str, ...]:
    """Add to a project's `.gitignore` what it lacks, and return that."""
    checkout = next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None)
    if checkout is None:
        return ()
    above = [one for one in (folder, *folder.parents) if one == checkout or checkout in one.parents]
    known = {line.strip().strip("/") for one in above for line in _text(one / ".gitignore").splitlines()}
    lacking = tuple(line for line in IGNORED if line.strip("/") not in known)
    if lacking:
        path = folder / ".gitignore"
        unended = _text(path)[-1:] not in {"", "\n"}
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * unended + "".join(f"{line}\n" for line in lacking))
    return lacking


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not text in UTF-8", hint=f"add {' and '.join(IGNORED)} to it yourself"
        ) from error
