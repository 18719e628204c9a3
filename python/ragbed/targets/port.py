"""The port behind which any RAG pipeline stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ragbed.pipeline import Answer, Gap, IngestReport, ScoredChunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """What a target found for a question.

    Attributes:
        passages: The best ones, best first.
        gap: What the documents lack for the question; None where nothing is missing.
    """

    passages: tuple[ScoredChunk, ...]
    gap: Gap | None = None

    @property
    def documents(self) -> list[str]:
        """The passages' documents, in the passages' order."""
        return [passage.document for passage in self.passages]


class Target(Protocol):
    """A RAG pipeline that is put to the test. Its methods may be called on several threads at once."""

    @property
    def name(self) -> str:
        """What the target is called in reports."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the vector of each text, as the target embeds its documents."""

    def ingest(self, folder: Path) -> IngestReport:
        """Make the target's index hold what a folder holds.

        Args:
            folder: Corpus folder.
        """

    def retrieve(
        self, question: str, *, top_k: int | None = None, filters: Mapping[str, str] | None = None
    ) -> Retrieved:
        """Return the best passages for a question; nothing is saved.

        Args:
            question: In words.
            top_k: How many passages at most; None leaves it to the target.
            filters: The value that a field of each passage must have.
        """

    def answer(self, question: str) -> Answer:
        """Return the answer to a question; what the documents lack for it is saved as a gap."""

    def gaps(self) -> list[Gap]:
        """Return every saved gap."""
