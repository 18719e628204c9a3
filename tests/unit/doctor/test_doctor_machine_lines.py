"""The machine's lines: what is right is said, each planted fault is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragbed.doctor.machine import (
    Cpu,
    Disk,
    Memory,
    System,
    judge_cpu,
    judge_disk,
    judge_memory,
    judge_system,
    see_cpu,
    see_disk,
    see_memory,
    see_system,
)
from ragbed.doctor.probing import Programs
from ragbed.errors import ConfigurationError
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.doctor import Finding

SYSTEM = System(kind="Linux", name="Debian GNU/Linux 12", machine="x86_64", root=False)
CPU = Cpu(model="EPYC", cores=2, machine="x86_64", flags=frozenset({"avx2", "fma", "f16c", "bmi2", "sse"}))
MEMORY = Memory(total=16_000_000_000, available=8_000_000_000)
DISK = Disk(folder=Path("/home/me/project/.ragbed"), free=50_000_000_000)


@pytest.mark.parametrize(
    ("finding", "seen"),
    [
        pytest.param(judge_system(SYSTEM), "Debian GNU/Linux 12 on x86_64", id="system"),
        pytest.param(judge_cpu(CPU), "EPYC, 2 cores, with avx2 fma f16c bmi2", id="cpu"),
        pytest.param(
            judge_cpu(Cpu(model="", cores=8, machine="arm64", flags=frozenset())), "arm64, 8 cores", id="arm"
        ),
        pytest.param(judge_memory(MEMORY), "8.0 GB of 16 GB available", id="memory"),
        pytest.param(judge_disk(DISK), "50 GB free for /home/me/project/.ragbed", id="disk"),
    ],
)
def test_a_healthy_machine_is_said_as_it_is(finding: Finding, seen: str) -> None:
    """Nothing to type."""
    assert (finding.state, finding.seen, finding.hint) == ("ok", seen, "")


@pytest.mark.parametrize("change", [{"kind": "Windows"}, {"machine": "riscv64"}], ids=["windows", "riscv"])
def test_a_system_without_wheels_of_servers_is_noted(change: dict[str, str]) -> None:
    """Such a machine needs servers on PATH."""
    finding = judge_system(replace(SYSTEM, **change))  # type: ignore[arg-type]

    assert (finding.state, finding.fails) == ("note", False)
    assert "on PATH" in finding.hint


def test_root_is_said() -> None:
    """Root starts Postgres in another way, so the line names it."""
    assert judge_system(replace(SYSTEM, root=True)).seen.endswith("as root")


@pytest.mark.parametrize("flag", ["avx2", "fma", "f16c", "bmi2"])
def test_each_missing_flag_of_the_processor_is_named(flag: str) -> None:
    """An old x86 is slow with a real Ollama, and works."""
    finding = judge_cpu(replace(CPU, flags=CPU.flags - {flag}))

    assert (finding.state, finding.fails) == ("note", False)
    assert f"without {flag}:" in finding.seen
    assert "MODEL_PROVIDER=mock" in finding.hint


def test_little_memory_is_noted() -> None:
    """Below a gigabyte the line warns."""
    finding = judge_memory(replace(MEMORY, available=999_000_000))

    assert finding.state == "note"
    assert finding.hint


@pytest.mark.parametrize(
    ("free", "state"), [(1_900_000_000, "note"), (190_000_000, "missing")], ids=["for-models", "for-a-stack"]
)
def test_a_full_disk_is_told_by_how_full_it_is(free: int, state: str) -> None:
    """Too little for models is worth a word, too little for a stack fails."""
    finding = judge_disk(replace(DISK, free=free))

    assert finding.state == state
    assert "RAGBED_STATE_DIR" in finding.hint


def test_a_state_folder_that_cannot_be_written_is_wrong() -> None:
    """The line says what the stack itself would say."""
    refusal = ConfigurationError("cannot write the state folder /x: Permission denied", hint="sudo chown")

    finding = judge_disk(replace(DISK, refusal=refusal))

    assert (finding.state, finding.seen, finding.hint) == ("wrong", refusal.message, "sudo chown")


def test_this_machine_can_be_seen(tmp_path: Path) -> None:
    """Every probe finds something on a real machine, and makes nothing."""
    folder = StateFolder(tmp_path / "deep" / "state")

    assert see_system().name
    assert see_cpu(Programs()).cores >= 1
    assert see_memory().total >= see_memory().available > 0
    assert see_disk(folder).free > 0
    assert list(tmp_path.iterdir()) == []
