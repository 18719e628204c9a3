"""Running a recorded command again, with its order, workers, variables, zone and locale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from ragbed.errors import UsageError
from ragbed.runs.history import ARTIFACTS, SEQUENCE, load_run
from ragbed.runs.run_id import is_run_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ragbed.runs import RunRecord
    from ragbed.state import StateFolder

_HIDDEN = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A command to run once more.

    Attributes:
        command: Program and words.
        variables: What is set beside this process's environment.
        unknown: What the record does not say, a line each.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str]
    unknown: tuple[str, ...]

    def run(self, state: StateFolder, output: TextIO) -> RunRecord | None:
        """Run it here and return its own record; None where it left none.

        Args:
            state: The state folder, which gets its record.
            output: Where what it prints goes.
        """
        before = _runs(state)
        subprocess.run(self.command, env={**os.environ, **self.variables}, check=False, stdout=output)
        new = sorted(_runs(state) - before)
        return load_run(state.runs / new[-1]) if new else None


def again(record: RunRecord, folder: Path, only: Iterable[str] | None) -> Again:
    """Return how a recorded run is made again.

    Args:
        record: The run.
        folder: An empty folder for the order of its tests.
        only: Of a test session, just these tests, where they ran; None takes all.

    Raises:
        UsageError: A run of this kind is not made again, or its command has a secret, which was hidden.
    """
    kind, words = record.manifest["kind"], list(record.manifest["command"])
    if hidden := [word for word in words if _HIDDEN in word]:
        raise UsageError(
            f"the command of the run had a secret in {hidden[0]}, which was not recorded",
            hint="type the command yourself",
        )
    if kind not in {"pytest", "smoke", "ingest"}:
        raise UsageError(f"a run of the kind {kind} is not made again", hint="pytest, smoke and ingest are")
    command = [sys.executable, "-m", "pytest" if kind == "pytest" else "ragbed", *words[1:]]
    unknown: list[str] = []
    if kind == "pytest":
        workers = _write_sequence(record, folder, None if only is None else set(only))
        if workers:
            command += ["--ragbed-sequence", str(folder)]
            command += ["-n", str(workers)] if workers > 1 else []
        else:
            unknown.append("the order of its tests")
    variables = _variables(record.manifest, unknown)
    return Again(command=tuple(command), variables=variables, unknown=tuple(unknown))


def _write_sequence(record: RunRecord, folder: Path, only: set[str] | None) -> int:
    """Write which worker ran what, as far as it is wanted; returns the number of workers, 0 where it is not known."""
    files = sorted((record.folder / ARTIFACTS / SEQUENCE).glob("*.jsonl"))
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if only is None or _test_of(line) in only]
        (folder / file.name).write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    return len(files)


def _test_of(line: str) -> str:
    try:
        return str(json.loads(line)["nodeid"])
    except (ValueError, TypeError, KeyError):
        return ""


def _variables(manifest: Mapping[str, Any], unknown: list[str]) -> dict[str, str]:
    """Return the variables that the run had, as far as its manifest says."""
    variables = {"APP_ENV": str(manifest["tier"])}
    zone, locale = str(manifest["time_zone"]), str(manifest["locale"])
    if " " not in zone:  # else a name and an offset, for people
        variables["TZ"] = zone
    variables["LC_ALL"] = locale
    if "PYTHONHASHSEED" in manifest["seeds"]:
        variables["PYTHONHASHSEED"] = manifest["seeds"]["PYTHONHASHSEED"]
    else:
        unknown.append("the seed of Python's hashes (PYTHONHASHSEED was not set)")
    for key, setting in manifest["settings"].items():
        value, source = setting["value"], setting["source"]
        if source["kind"] != "environment" or not source["name"]:
            continue
        if _HIDDEN in str(value):
            unknown.append(f"{source['name']} ({key}), which is a secret")
        elif isinstance(value, (str, int, float, bool)):
            variables[source["name"]] = str(value).lower() if isinstance(value, bool) else str(value)
    return variables


def _runs(state: StateFolder) -> set[str]:
    try:
        return {path.name for path in state.runs.iterdir() if is_run_id(path.name)}
    except OSError:
        return set()
