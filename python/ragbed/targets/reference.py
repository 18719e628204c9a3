"""The reference pipeline as a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.pipeline.answering import prompt
from ragbed.targets.port import Retrieved
from ragbed.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ragbed.pipeline import Answer, Gap, IngestReport, Pipeline


@dataclass(slots=True, kw_only=True)
class Tokens:
    """Tokens that a chat model was given and gave; estimated for an answer whose model did not count."""

    prompt: int = 0
    answer: int = 0

    def add(self, answer: Answer) -> None:
        """Count the tokens of an answer."""
        if answer.prompt_tokens is None:
            self.prompt += estimate_tokens(prompt(answer.question, answer.passages))
        else:
            self.prompt += answer.prompt_tokens
        self.answer += estimate_tokens(answer.text) if answer.answer_tokens is None else answer.answer_tokens


class ReferenceTarget:
    """The reference pipeline of this process.

    Args:
        pipeline: Open, for as long as the target is asked.

    Attributes:
        tokens: Of all answers so far.
    """

    name = "ragbed's reference pipeline"

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.tokens = Tokens()

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the unit vector of each text as a document."""
        return [list(vector) for vector in self._pipeline.embed(texts)]

    def ingest(self, folder: Path) -> IngestReport:
        """Ingest a folder in this process."""
        return self._pipeline.ingest(folder)

    def retrieve(
        self, question: str, *, top_k: int | None = None, filters: Mapping[str, str] | None = None
    ) -> Retrieved:
        """Return the best passages, and what the documents lack for the question."""
        passages, gap = self._pipeline.examine(question, top_k=top_k, filters=filters)
        return Retrieved(passages=tuple(passages), gap=gap)

    def answer(self, question: str) -> Answer:
        """Answer a question, and count its tokens."""
        given = self._pipeline.ask(question)
        self.tokens.add(given)
        return given

    def gaps(self) -> list[Gap]:
        """Return every saved gap, the newest first."""
        return self._pipeline.gaps()
