"""What every store can do: be counted, emptied, copied to a file and back, and lend a part of it to one test."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from ragbed.errors import RagbedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ragbed.guard.data_class import DataClass
    from ragbed.stack import Endpoint

IsolationMode = Literal["database", "schema", "server", "acl", "prefix", "collections"]

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 40


class StoreFailed(RagbedError):
    """A store would not do what was asked of it; says which store, and its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What a store holds, without ragbed's marker.

    Attributes:
        counts: Rows of a table, points of a collection, 1 for a key, by name.
    """

    counts: Mapping[str, int]

    def difference(self, later: Census) -> list[str]:
        """Return what a later census shows that this one does not, a line each: new, gone, changed in number."""
        before, after = self.counts, later.counts
        lines = [f"+ {name} ({after[name]})" for name in after if name not in before]
        lines += [f"- {name} ({before[name]})" for name in before if name not in after]
        both = [name for name in after if name in before and before[name] != after[name]]
        return sorted(lines) + [f"{name}: {before[name]} -> {after[name]}" for name in sorted(both)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRef:
    """A copy of one store in a file.

    Attributes:
        service: Which service.
        product: What it was copied from, as its endpoint names it.
        version: Of that server.
        file: The file's name in the snapshot's folder.
        digest: SHA-256 of the file, in hexadecimal digits.
        size_bytes: Of the file.
        data_class: Whose data it is.
        entries: How many names the census had.
        records: How many rows, points or keys in all.
        taken: At which moment of the store: `one moment`, or what may differ.
    """

    service: str
    product: str
    version: str
    file: str
    digest: str
    size_bytes: int
    data_class: DataClass
    entries: int
    records: int
    taken: str

    @property
    def major(self) -> str:
        """Return the server's major version."""
        return self.version.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolated:
    """A part of a store that one test has for itself.

    Attributes:
        service: Which service.
        mode: How it is kept apart.
        url: Leads an application there.
        name: Of the database, schema, user, or the prefix of keys or collections.
        environ: Variables that lead an application there.
    """

    service: str
    mode: IsolationMode
    url: str
    name: str
    environ: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> str:
        """Return in words what the test has."""
        return f"{self.service}: {self.mode} {self.name}"


class IsolatedStore(Protocol):
    """One store of a stack. Every method raises `StoreFailed` where the store refuses or does not answer."""

    service: str
    modes: frozenset[IsolationMode]

    def isolate(self, test: str, mode: IsolationMode) -> AbstractContextManager[Isolated]:
        """Lend a part of the store to a test; what the test made there is deleted after it.

        Raises:
            UsageError: The store has no such mode.
        """

    def census(self) -> Census:
        """Return names and counts."""

    def reset(self) -> None:
        """Delete everything but ragbed's marker."""

    def snapshot(self, into: Path, *, data_class: DataClass) -> SnapshotRef:
        """Copy everything but ragbed's marker to a file of a folder that is there."""

    def restore(self, ref: SnapshotRef, folder: Path) -> None:
        """Put back what a snapshot holds, in the place of what is there.

        Raises:
            UsageError: The snapshot is of another product or major version.
        """


def require_same_major(ref: SnapshotRef, endpoint: Endpoint) -> None:
    """Refuse a snapshot that this server cannot read.

    Raises:
        UsageError: It is of another product or another major version.
    """
    if (ref.product, ref.major) == (endpoint.product, endpoint.version.partition(".")[0]):
        return
    raise UsageError(
        f"the snapshot of {ref.service} is of {ref.product} {ref.version},"
        f" and {endpoint.product} {endpoint.version} runs",
        hint=f"start {ref.product} {ref.major}, or ingest again",
    )


def require_mode(store: IsolatedStore, mode: IsolationMode) -> None:
    """Refuse a mode that a store does not have.

    Raises:
        UsageError: It has no such mode; names those it has.
    """
    if mode not in store.modes:
        modes = ", ".join(sorted(store.modes)) or "none"
        raise UsageError(f"{store.service} cannot isolate by {mode}", hint=f"its modes: {modes}")


def name_for(test: str, token: str) -> str:
    """Return a name that every store takes: of a test, and of a token that makes it this test's alone.

    Args:
        test: The test's node id.
        token: Some letters or digits.
    """
    words = _NOT_A_NAME.sub("_", test.rpartition("/")[2].lower()).strip("_")
    return f"t_{words[-_LONGEST_NAME:].strip('_')}_{token}"
