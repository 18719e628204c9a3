"""What differs between a recorded run and this place, the likeliest causes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.runs.manifest import PACKAGES
from ragbed.runs.surroundings import installed_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.runs import RunManifest, RunRecord

_MOST = 8


def differences(record: RunRecord, here: RunManifest) -> list[str]:
    """Return what differs, a line each with what would remove it.

    Args:
        record: The recorded run.
        here: The manifest that a run has which begins here and now.
    """
    return list(_differences(record, here.to_json()))


def _differences(record: RunRecord, here: dict[str, Any]) -> Iterator[str]:
    there = record.manifest
    git, commit = there["git"], there["git"]["commit"]
    if commit and commit != here["git"]["commit"]:
        now = here["git"]["commit"][:12] or "no commit"
        yield f"source: {commit[:12]} there, {now} here: git checkout {commit[:12]}"
    if git["dirty"]:
        yield "source: the run was made with changes that no commit has"
    for name, digest in there["pins"].items():
        if digest != here["pins"][name]:
            yield f"pins: another {'stack.toml' if name == 'stack' else 'models.lock.json'} was in force"
    yield from _packages(record)
    for what in ("python", "architecture", "system", "cpus"):
        if there["machine"][what] != here["machine"][what]:
            yield f"machine: {what} {there['machine'][what]} there, {here['machine'][what]} here"
    if there["ragbed"] != here["ragbed"]:
        yield f"ragbed: {there['ragbed']} there, {here['ragbed']} here"


def _packages(record: RunRecord) -> Iterator[str]:
    try:
        recorded = {
            line
            for path in record.artifacts
            if path.name == PACKAGES
            for line in path.read_text(encoding="utf-8").split()
        }
    except OSError:
        return
    installed = set(installed_packages())
    if not recorded or recorded == installed:
        return
    lines = [f"{name} there" for name in sorted(recorded - installed)]
    lines += [f"{name} here" for name in sorted(installed - recorded)]
    more = f" and {len(lines) - _MOST} more" if len(lines) > _MOST else ""
    yield f"packages: {', '.join(lines[:_MOST])}{more}"
