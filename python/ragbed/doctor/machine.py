"""The machine: operating system, processor, memory, and the disk of the state folder."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ragbed.doctor.finding import Finding, finding_of
from ragbed.stack.sizes import shown_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.doctor.probing import Programs
    from ragbed.errors import ConfigurationError
    from ragbed.state import StateFolder

_SYSTEMS = ("Linux", "Darwin")
_MACHINES = ("x86_64", "amd64", "aarch64", "arm64")
_WANTED_FLAGS = ("avx2", "fma", "f16c", "bmi2")
"""What Ollama's fast kernels for x86 are built with; without them embeddings take about twenty times as long."""

_LITTLE_MEMORY = 1_000_000_000
_LITTLE_DISK = 2_000_000_000
_NO_DISK = 200_000_000
"""A stack takes about half of it: a prepared Postgres, its copy, and what the servers set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The operating system.

    Attributes:
        kind: `Linux` or `Darwin`.
        name: As it calls itself.
        machine: The processor's architecture.
        root: Whether we are root.
    """

    kind: str
    name: str
    machine: str
    root: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """The processor.

    Attributes:
        model: As it calls itself; empty where it does not say.
        cores: That we may run on.
        machine: Its architecture.
        flags: What it can do, in the system's words.
    """

    model: str
    cores: int
    machine: str
    flags: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory in bytes.

    Attributes:
        total: Of the machine, or of the container that we are in.
        available: Without swapping.
    """

    total: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The disk of the state folder.

    Attributes:
        folder: The state folder.
        free: Bytes that we may use.
        refusal: Why the folder cannot be written; None where it can.
    """

    folder: Path
    free: int
    refusal: ConfigurationError | None = None


def see_system() -> System:
    """Return what the operating system says of itself."""
    kind = platform.system()
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"macOS {platform.mac_ver()[0]}" if kind == "Darwin" else kind
    return System(
        kind=kind,
        name=name,
        machine=platform.machine(),
        root=os.geteuid() == 0,
    )


def judge_system(system: System) -> Finding:
    """Only Linux and macOS on the usual two architectures have wheels with servers."""
    user = ", as root" if system.root else ""
    seen = f"{system.name} on {system.machine}{user}"
    if system.kind in _SYSTEMS and system.machine.lower() in _MACHINES:
        return Finding(topic="system", state="ok", seen=seen)
    return Finding(
        topic="system",
        state="note",
        seen=f"{seen}: no wheel brings servers for it",
        hint="put Postgres with pgvector, Valkey and Qdrant on PATH, or run ragbed on Linux or macOS",
    )


def see_cpu(programs: Programs) -> Cpu:
    """Return what the kernel says of the processor."""
    model, flags = _cpu_of_linux() if sys.platform == "linux" else _cpu_of_macos(programs)
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return Cpu(model=model, cores=cores, machine=platform.machine(), flags=flags)


def judge_cpu(cpu: Cpu) -> Finding:
    """An x86 processor should have what Ollama's fast kernels want; every ARM of today has."""
    name = cpu.model or cpu.machine
    seen = f"{name}, {cpu.cores} core{'' if cpu.cores == 1 else 's'}"
    if cpu.machine.lower() not in {"x86_64", "amd64"}:
        return Finding(topic="cpu", state="ok", seen=seen)
    missing = [flag for flag in _WANTED_FLAGS if flag not in cpu.flags]
    if not missing:
        seen = f"{seen}, with {' '.join(_WANTED_FLAGS)}"
        return Finding(topic="cpu", state="ok", seen=seen)
    return Finding(
        topic="cpu",
        state="note",
        seen=f"{seen}, without {' '.join(missing)}: a real Ollama is slow on it",
        hint="MODEL_PROVIDER=mock, or OLLAMA_HOST=URL of an Ollama elsewhere",
    )


def see_memory() -> Memory:
    """Return the memory of the machine, or what a container leaves us of it."""
    memory = psutil.virtual_memory()
    limits = [limit for limit in _container_limits() if limit < memory.total]
    total = min([memory.total, *limits])
    return Memory(total=total, available=min(memory.available, total))


def judge_memory(memory: Memory) -> Finding:
    """Below a gigabyte the system ends services at will."""
    seen = f"{shown_bytes(memory.available)} of {shown_bytes(memory.total)} available"
    if memory.available >= _LITTLE_MEMORY:
        return Finding(topic="memory", state="ok", seen=seen)
    return Finding(
        topic="memory",
        state="note",
        seen=f"{seen}: services may be ended by the system",
        hint="close something, or give the container more",
    )


def see_disk(folder: StateFolder) -> Disk:
    """Return what the state folder's disk has left, and whether we may write there; nothing is written."""
    existing = next(path for path in (folder.root, *folder.root.parents) if os.path.exists(path))  # noqa: PTH110 - False where we may not look
    refusal = None
    if not existing.is_dir():
        refusal = folder.refused(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    elif not os.access(existing, os.W_OK | os.X_OK):
        refusal = folder.refused(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    return Disk(folder=folder.root, free=shutil.disk_usage(existing).free, refusal=refusal)


def judge_disk(disk: Disk) -> Finding:
    """The state folder must be ours to write, with room for a stack."""
    if disk.refusal:
        return finding_of("disk", disk.refusal)
    seen = f"{shown_bytes(disk.free)} free for {disk.folder}"
    hint = "ragbed models prune, or set RAGBED_STATE_DIR to a folder on another disk"
    if disk.free < _NO_DISK:
        return Finding(topic="disk", state="missing", seen=f"{seen}: too little for a stack", hint=hint)
    if disk.free < _LITTLE_DISK:
        return Finding(topic="disk", state="note", seen=f"{seen}: too little for most models", hint=hint)
    return Finding(topic="disk", state="ok", seen=seen)


def _cpu_of_linux() -> tuple[str, frozenset[str]]:
    """Return name and flags of the first processor, as /proc/cpuinfo has them."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags") or fields.get("Features", "")
    return fields.get("model name", ""), frozenset(flags.split())


def _cpu_of_macos(programs: Programs) -> tuple[str, frozenset[str]]:
    """Return name and flags as sysctl has them; an ARM has no flags there."""
    model = programs.ask("sysctl", "-n", "machdep.cpu.brand_string").out.strip()
    said = programs.ask("sysctl", "-n", "machdep.cpu.features", "machdep.cpu.leaf7_features")
    return model, frozenset(said.out.lower().split())


def _container_limits() -> Iterator[int]:
    """Yield the memory limits of our control group, in both versions of the kernel's interface."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = Path("/sys/fs/cgroup", name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            yield int(text)
