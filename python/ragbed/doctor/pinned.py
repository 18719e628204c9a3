"""What is configured and pinned: the settings, the two pin files, the Python packages."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from ragbed.doctor.finding import Finding, finding_of
from ragbed.errors import RagbedError
from ragbed.pins import in_nix_store, pip_install
from ragbed.settings import choose_llm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ragbed.pins import ModelLock, StackPins
    from ragbed.settings import Settings

_LOCKED = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """Installed Python packages against what is pinned.

    Attributes:
        lock: The lock they are compared with; None where ragbed is installed without its checkout.
        pinned: Version by package: of the lock, and of the wheels with servers that stack.toml names.
        installed: Version by package, of those that are there.
        servers: Packages with servers inside.
        fixed: Whether they lie in the Nix store, into which nothing can be installed.
    """

    lock: Path | None
    pinned: Mapping[str, str]
    installed: Mapping[str, str]
    servers: frozenset[str] = field(default_factory=frozenset)
    fixed: bool = False

    @property
    def others(self) -> dict[str, str]:
        """The installed version of each package that is there in another than the pinned one."""
        return {
            name: self.installed[name]
            for name, version in self.pinned.items()
            if self.installed.get(name, version) != version
        }

    @property
    def absent(self) -> list[str]:
        """Pinned packages that are not there."""
        return [name for name in self.pinned if name not in self.installed]


def judge_settings(settings: Settings | RagbedError, refusal: RagbedError | None) -> Finding:
    """The settings must resolve, name an LLM that can be had, and nothing of production.

    Args:
        settings: The resolved settings, or why they cannot be read.
        refusal: Why `ragbed up` would be refused before it looks for a service; None where it would not.
    """
    if isinstance(settings, RagbedError):
        return replace(finding_of("settings", settings), state="wrong")
    seen = f"tier {settings.tier.name} ({settings.tier_source})"
    if not settings.tier.writes_allowed:
        return Finding(
            topic="settings",
            state="note",
            seen=f"{seen}, which is never a test target: its services are not looked at",
            hint="set APP_ENV to local, ci or staging for a stack",
        )
    if refusal:
        return replace(finding_of("settings", refusal), state="wrong")
    llm = choose_llm(settings, caller="command")
    shown = "a live Ollama, else the mock" if llm.may_fall_back else f"{llm.provider} ({llm.why})"
    return Finding(topic="settings", state="ok", seen=f"{seen}; LLM: {shown}")


def judge_stack_file(pins: StackPins | RagbedError) -> Finding:
    """`stack.toml` must be right in every key."""
    if isinstance(pins, RagbedError):
        return _broken("stack.toml", pins)
    return Finding(
        topic="stack.toml", state="ok", seen=f"valid: {len(pins.services)} services, from {pins.path.parent}"
    )


def judge_model_lock(lock: ModelLock | RagbedError) -> Finding:
    """`models.lock.json` must be right, each digest that of its parts."""
    if isinstance(lock, RagbedError):
        return _broken("models.lock", lock)
    return Finding(
        topic="models.lock",
        state="ok",
        seen=f"valid: {len(lock.models)} models, digests recomputed, from {lock.path.parent}",
    )


def see_wheels(lock: Path | None, pins: StackPins | None) -> Wheels:
    """Return which packages are installed, of those that the lock and `stack.toml` name.

    Args:
        lock: `requirements.lock`; None where there is none. One that lacks the wheels with servers is not of ragbed's
            environment, and is not compared: a project may have a file of that name for something else.
        pins: The pins; None where they cannot be read.
    """
    pinned: dict[str, str] = locked_versions(lock.read_text(encoding="utf-8")) if lock else {}
    channels = [service.channels.wheel for service in pins.services.values()] if pins else []
    servers = {str(canonicalize_name(wheel.package)): wheel.package_version for wheel in channels if wheel}
    if not servers.keys() <= pinned.keys():
        lock, pinned = None, {}
    names = [*pinned, *(name for name in servers if name not in pinned)]
    return Wheels(
        lock=lock,
        pinned={**pinned, **servers},  # stack.toml has the last word
        installed={name: version for name in names if (version := _installed(name))},
        servers=frozenset(servers),
        fixed=in_nix_store(sys.prefix),
    )


def judge_wheels(wheels: Wheels) -> Finding:
    """What is installed must have the pinned version; what is not installed is only worth saying."""
    source = wheels.lock.name if wheels.lock else "stack.toml"
    if wheels.others:
        lines = [
            f"{name} {installed}, pinned {wheels.pinned[name]}"
            for name, installed in sorted(wheels.others.items())
        ]
        more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
        return Finding(
            topic="wheels",
            state="drift",
            seen=f"{lines[0]}{more}",
            hint=_install(wheels, list(wheels.others)),
            details=tuple(lines[1:]),
        )
    if wheels.absent:
        kind = "wheels with servers" if set(wheels.absent) <= wheels.servers else "packages"
        return Finding(
            topic="wheels",
            state="note",
            seen=f"{len(wheels.installed)} as in {source}; {kind} not installed: {_few(wheels.absent)}",
            hint=_install(wheels, wheels.absent),
        )
    return Finding(topic="wheels", state="ok", seen=f"{len(wheels.installed)} installed, each as in {source}")


def value_of_wheels(wheels: Wheels) -> str:
    """Return what is compared between machines: the packages of another version, else that there is none."""
    return " ".join(f"{name}=={version}" for name, version in sorted(wheels.others.items())) or "as pinned"


def locked_versions(text: str) -> dict[str, str]:
    """Return the version that a requirements lock pins of each package that this Python and system want."""
    return {
        str(canonicalize_name(name)): version
        for name, version, marker in _LOCKED.findall(text)
        if not marker or Marker(marker).evaluate()
    }


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _install(wheels: Wheels, names: Sequence[str]) -> str:
    """Return the command that brings these packages in their pinned version; none where nothing can be installed."""
    if wheels.fixed:
        return ""
    pip = pip_install(sys.executable)
    if wheels.lock:
        return f"{pip} --require-hashes --only-binary :all: -r {wheels.lock}"
    return f"{pip} {' '.join(f'{name}=={wheels.pinned[name]}' for name in names)}"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _broken(topic: str, error: RagbedError) -> Finding:
    """Return what to say of a pin file that cannot be used."""
    finding = finding_of(topic, error)
    hint = finding.hint or "mend the key that is named; `git diff` shows what was changed, if it is in git"
    return Finding(topic=topic, state="wrong", seen=finding.seen, hint=hint, details=finding.details)
