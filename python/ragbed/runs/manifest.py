"""A run's manifest: what was asked for, by which settings and pins, on what; `docs/run-manifest.schema.json`."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ragbed import __version__
from ragbed.guard import redacted, scrubber, shown_value
from ragbed.pins.in_force import our_pin_file, own_pin_file
from ragbed.project import project_folder
from ragbed.runs.run_id import new_run_id
from ragbed.runs.surroundings import (
    GitState,
    Machine,
    digest_of,
    git_state,
    installed_packages,
    locale_name,
    this_machine,
    time_zone,
)
from ragbed.settings import all_settings, not_there_yet
from ragbed.stack.processes import ProcessIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.guard.data_class import DataClass
    from ragbed.settings import Resolved, Settings
    from ragbed.stack import Endpoint

SCHEMA = "ragbed.run-manifest/1"
PACKAGES = "packages.txt"
RunKind = Literal["smoke", "up", "ingest", "pytest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDigests:
    """The pins in force, by the digest of their files: ours, and the project's part where it has one.

    Attributes:
        stack: Of `stack.toml`.
        models: Of `models.lock.json`.
    """

    stack: str
    models: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunManifest:
    """What a run was asked for, and what its result may depend on.

    Attributes:
        id: The run's id.
        kind: What kind of run.
        command: What was typed, a word each; secrets are hidden.
        started_at: UTC.
        writer: The process that writes the run: while it lives, a run without an outcome is running.
        git: State of the source.
        tier: The tier in force.
        settings: Every setting as it is in force, by key.
        pins: The pins in force.
        endpoints: Where services answered, as far as they are known.
        seeds: Seeds by name.
        machine: What it ran on.
        packages: Digest of `artifacts/packages.txt`, which lists the installed packages.
        artifacts: How far what each file in `artifacts/` holds may go, by its name.
        not_there_yet: What the settings ask for and is not there yet, a line each.
        time_zone: Zone of local times.
        locale: The locale that the environment asks for.
    """

    id: str
    kind: RunKind
    command: tuple[str, ...]
    started_at: datetime
    writer: ProcessIdentity
    git: GitState
    tier: str
    settings: Mapping[str, Resolved]
    pins: PinDigests
    endpoints: tuple[Endpoint, ...] = ()
    seeds: Mapping[str, str]
    machine: Machine
    packages: str
    artifacts: Mapping[str, DataClass] = field(default_factory=lambda: {PACKAGES: "internal"})
    not_there_yet: tuple[str, ...]
    time_zone: str
    locale: str

    def to_json(self) -> dict[str, Any]:
        """Return the manifest in its published form; passwords and keys are hidden."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "kind": self.kind,
            "command": list(self.command),
            "started_at": self.started_at.isoformat(),
            "ragbed": __version__,
            "writer": self.writer.to_json(),
            "git": asdict(self.git),
            "tier": self.tier,
            "settings": {key: _setting(key, resolved) for key, resolved in self.settings.items()},
            "pins": asdict(self.pins),
            "endpoints": [endpoint.to_shown_json() for endpoint in self.endpoints],
            "seeds": dict(self.seeds),
            "machine": self.machine.to_json(),
            "packages": self.packages,
            "artifacts": dict(self.artifacts),
            "not_there_yet": list(self.not_there_yet),
            "time_zone": self.time_zone,
            "locale": self.locale,
        }


def manifest_of(
    kind: RunKind, settings: Settings, command: Sequence[str] = (), *, run: str = ""
) -> RunManifest:
    """Return the manifest of a run that begins now.

    Args:
        kind: What kind of run.
        settings: The resolved settings.
        command: What was typed, a word each; empty takes the words of this process.
        run: The run's id; empty makes one.
    """
    hide = scrubber(settings)
    command = command or (_program(), *sys.argv[1:])
    return RunManifest(
        id=run or new_run_id(),
        kind=kind,
        command=tuple(hide(_without_password(word)) for word in command),
        started_at=datetime.now(UTC),
        writer=ProcessIdentity.of(os.getpid()),
        git=git_state(project_folder()),
        tier=settings.tier.name,
        settings={key: settings.in_force(setting) for key, setting in all_settings().items()},
        pins=PinDigests(stack=_digest_of_pins("stack.toml"), models=_digest_of_pins("models.lock.json")),
        seeds={name: os.environ[name] for name in ("PYTHONHASHSEED",) if name in os.environ},
        machine=this_machine(),
        packages=digest_of(installed_packages()),
        not_there_yet=not_there_yet(settings),
        time_zone=time_zone(),
        locale=locale_name(),
    )


def _setting(key: str, resolved: Resolved) -> dict[str, Any]:
    source = {"kind": resolved.source.kind, "name": resolved.source.name}
    return {"value": shown_value(all_settings()[key], resolved.value), "source": source}


def _program() -> str:
    """Return the name of the program that runs, also where Python was told to run a package of that name."""
    path = Path(sys.argv[0])
    return path.parent.name if path.name == "__main__.py" else path.name


def _without_password(word: str) -> str:
    """Return a word of a command, with the password of an address in it hidden: `--url=postgres://u:***@h`."""
    before, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    return f"{before}{equals}{redacted(value)}" if "://" in value else word


def _digest_of_pins(name: str) -> str:
    digest = hashlib.sha256()
    for path in (our_pin_file(name), own_pin_file(name)):
        if path and path.is_file():
            digest.update(path.read_bytes())
    return f"sha256:{digest.hexdigest()}"
