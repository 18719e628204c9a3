"""Which folders a namespace's documents come from: another one never takes their place unasked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ragbed.errors import UsageError
from ragbed.pipeline.ports import SourceFolder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

OtherFolder = Literal["refuse", "replace", "add"]
"""What is done with a folder that a namespace does not know, where it has documents of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The folders of a namespace, once an ingest has ended.

    Attributes:
        current: The one that is ingested now.
        others: Those whose documents stay.
    """

    current: SourceFolder
    others: tuple[SourceFolder, ...] = ()

    @property
    def all(self) -> tuple[SourceFolder, ...]:
        """All of them, the first one first."""
        return tuple(sorted((self.current, *self.others), key=lambda source: source.prefix))


def choose_sources(
    folder: Path,
    known: Sequence[SourceFolder],
    *,
    other: OtherFolder,
    namespace: str,
    taken: Collection[str],
) -> Sources:
    """Decide what an ingest of a folder does to the folders that the namespace has.

    Args:
        folder: What is ingested.
        known: What the namespace remembers.
        other: What to do with a folder that it does not know.
        namespace: For the message.
        taken: First parts of the paths in the index: an added folder gets a name besides them.

    Raises:
        UsageError: The namespace has documents of another folder, and `other` is `refuse`.
    """
    path = folder.resolve()
    current = next((source for source in known if source.path == path), None)
    if other == "replace" or not known:
        return Sources(current=SourceFolder(path=path, prefix=""))
    if current is None and other == "refuse":
        raise _refused(folder, known, namespace)
    if current is None:
        current = SourceFolder(path=path, prefix=_free_name(path.name or "documents", taken))
    return Sources(current=current, others=tuple(source for source in known if source.path != path))


def _free_name(name: str, taken: Collection[str]) -> str:
    clean = name.encode("utf-8", "backslashreplace").decode()
    names = [clean, *(f"{clean}-{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)


def _refused(folder: Path, known: Sequence[SourceFolder], namespace: str) -> UsageError:
    return UsageError(
        f"namespace {namespace} holds the documents of {known[0].path}, and {folder.resolve()} is another folder",
        details=[f"also: {source.path}" for source in known[1:]],
        hint=f"ragbed ingest {folder} --add to keep both, --replace to take the others' documents out,"
        " or --namespace NAME for an index of its own",
    )
