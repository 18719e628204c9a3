"""The lines that stand by themselves: machine, tools, settings, pin files, packages."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from ragbed.doctor import machine, pinned, tools
from ragbed.doctor.finding import Finding
from ragbed.doctor.probing import Failed, Silent
from ragbed.errors import PinFileError, RagbedError
from ragbed.pins import load_model_lock, load_stack_pins, stack_file_path
from ragbed.settings import resolve_settings
from ragbed.stack import project_folder
from ragbed.state import find_state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ragbed.doctor.probing import Programs
    from ragbed.pins import ModelLock, StackPins
    from ragbed.settings import Settings
    from ragbed.state import StateFolder

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What is configured here. What cannot be read is the error that says why.

    Attributes:
        settings: The resolved settings.
        pins: Of `stack.toml`.
        lock: Of the models.
        home: The folder that `stack.toml` in force lies in.
        folder: The state folder.
        shell: The Nix shell that we are in.
    """

    settings: Settings | RagbedError
    pins: StackPins | RagbedError
    lock: ModelLock | RagbedError
    home: Path
    folder: StateFolder
    shell: tools.NixShell


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line that stands by itself.

    Attributes:
        topic: What it is about.
        see: Gathers the facts.
        judge: Says what they mean.
        value: What of them is compared between machines.
    """

    topic: str
    see: Callable[[], Any]
    judge: Callable[[Any], Finding]
    value: Callable[[Any], str] = lambda _: ""

    def finding(self, fact: Any) -> Finding:
        """Return the line, also where there is no fact to judge."""
        if isinstance(fact, Silent):
            seen = f"could not be told: no answer within {fact.seconds:g} s"
            return Finding(topic=self.topic, state="note", seen=seen)
        if isinstance(fact, Failed):
            return Finding(topic=self.topic, state="note", seen=f"could not be told: {fact.error}")
        return replace(self.judge(fact), value=self.value(fact))


def configured() -> Configured:
    """Read what is configured; what is broken is kept as the reason why."""
    home = stack_file_path().parent
    lock = _tried(load_model_lock)
    return Configured(
        settings=_settings(lock),
        pins=_tried(load_stack_pins),
        lock=lock,
        home=home,
        folder=find_state_folder(),
        shell=tools.see_nix_shell(home, os.environ),
    )


def standing_checks(here: Configured, programs: Programs, refusal: RagbedError | None) -> list[Check]:
    """Return the checks in the order of their lines.

    Args:
        here: What is configured.
        programs: Asks programs.
        refusal: Why `ragbed up` would be refused before it looks for a service; None where it would not.
    """
    return [*_of_machine(here, programs), *_of_tools(here, programs), *_of_pins(here, refusal)]


def _of_machine(here: Configured, programs: Programs) -> list[Check]:
    return [
        Check(
            topic="system",
            see=machine.see_system,
            judge=machine.judge_system,
            value=lambda system: f"{system.name}, {system.machine}",
        ),
        Check(
            topic="cpu",
            see=lambda: machine.see_cpu(programs),
            judge=machine.judge_cpu,
            value=lambda cpu: f"{cpu.model or cpu.machine}, {cpu.cores} cores",
        ),
        Check(topic="memory", see=machine.see_memory, judge=machine.judge_memory),
        Check(topic="disk", see=lambda: machine.see_disk(here.folder), judge=machine.judge_disk),
    ]


def _of_tools(here: Configured, programs: Programs) -> list[Check]:
    shell, pinned_devenv = here.shell, tools.pinned_devenv(here.home)
    pinned_python = "" if isinstance(here.pins, RagbedError) else here.pins.python.nix.version
    return [
        Check(
            topic="python",
            see=tools.see_python,
            judge=lambda python: tools.judge_python(python, pinned_python, shell),
            value=lambda python: ".".join(map(str, python.version)),
        ),
        Check(
            topic="nix",
            see=lambda: tools.see_nix(programs),
            judge=lambda nix: tools.judge_nix(nix, shell),
            value=_version,
        ),
        Check(
            topic="devenv",
            see=lambda: tools.see_devenv(programs),
            judge=lambda devenv: tools.judge_devenv(devenv, pinned_devenv, shell),
            value=_version,
        ),
        Check(
            topic="docker", see=lambda: tools.see_docker(programs), judge=tools.judge_docker, value=_version
        ),
        Check(topic="go", see=lambda: tools.see_go(programs), judge=tools.judge_go, value=_version),
    ]


def _of_pins(here: Configured, refusal: RagbedError | None) -> list[Check]:
    lock = here.home / "requirements.lock"
    pins = None if isinstance(here.pins, RagbedError) else here.pins
    return [
        Check(
            topic="settings",
            see=lambda: here.settings,
            judge=lambda settings: pinned.judge_settings(settings, refusal),
            value=lambda settings: "" if isinstance(settings, RagbedError) else f"tier {settings.tier.name}",
        ),
        Check(
            topic="stack.toml", see=lambda: here.pins, judge=pinned.judge_stack_file, value=_digest_of_file
        ),
        Check(
            topic="models.lock", see=lambda: here.lock, judge=pinned.judge_model_lock, value=_digest_of_file
        ),
        Check(
            topic="wheels",
            see=lambda: pinned.see_wheels(lock if lock.is_file() else None, pins),
            judge=pinned.judge_wheels,
            value=pinned.value_of_wheels,
        ),
    ]


def _tried(read: Callable[[], T]) -> T | RagbedError:
    try:
        return read()
    except RagbedError as error:
        return error


def _settings(lock: ModelLock | RagbedError) -> Settings | RagbedError:
    """Return the settings; those without the lock where only that stands in their way: it has a line of its own."""
    settings = _tried(lambda: resolve_settings(folder=project_folder()))
    if not (isinstance(settings, PinFileError) and isinstance(lock, PinFileError)):
        return settings
    environ = {name: value for name, value in os.environ.items() if name != "RAGBED_MODELS_LOCK"}
    return _tried(lambda: resolve_settings(environ=environ, folder=project_folder()))


def _version(tool: tools.DeveloperTool) -> str:
    return tool.version


def _digest_of_file(pins: StackPins | ModelLock | RagbedError) -> str:
    """Return the digest of a pin file; empty for one that cannot be used."""
    return "" if isinstance(pins, RagbedError) else sha256(pins.path.read_bytes()).hexdigest()[:12]
