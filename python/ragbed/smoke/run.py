"""What a smoke run is asked for, and what its stages hand on to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ragbed.costs import simulated_cost, to_usd
from ragbed.data import Question, lessons_folder, load_questions, questions_file
from ragbed.errors import CheckFailed
from ragbed.smoke.report import CorpusFigures

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from ragbed.evaluation import RetrievalFigures
    from ragbed.pipeline import Answer, Pipeline, PipelineConfig
    from ragbed.pipeline.corpus import Corpus
    from ragbed.settings import Settings
    from ragbed.settings.llm import Caller
    from ragbed.stack import Endpoint, Stack
    from ragbed.state import StateFolder

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeOptions:
    """What a run is asked for.

    Attributes:
        corpus: Folder of documents; None takes the lessons that ragbed brings along.
        questions: Golden questions; None takes those of the lessons, and none for another corpus.
        require_live: Fail where one of our substitutes would be used.
        keep: Leave the stack and the data for a look.
        last_stage: Run up to this stage; None runs all.
        caller: Tests follow the tier; commands look for a live Ollama.
    """

    corpus: Path | None = None
    questions: Path | None = None
    require_live: bool = False
    keep: bool = False
    last_stage: str | None = None
    caller: Caller = "command"


@dataclass(kw_only=True)
class Run:
    """What stages hand on to each other.

    Attributes:
        id: The run's id.
        settings: The resolved settings.
        folder: The state folder.
        options: What is asked for.
        cleanup: Closed at the end of the run, in reverse order.
        say: Shows a line on the way.
        stack: Where the services answer, from stage `stack` on.
        pipeline: The pipeline of this process, from `migrate` on.
        config: Its configuration.
        built: The corpus as read, from stage `corpus` on.
        corpus: Its figures.
        retrieval: Figures of all golden questions.
        held_out: Figures of the held-out ones.
        tokens: Counted for `simulated_usd`.
    """

    id: str
    settings: Settings
    folder: StateFolder
    options: SmokeOptions
    cleanup: ExitStack
    say: Callable[[str], None]
    stack: Stack | None = None
    config: PipelineConfig | None = None
    pipeline: Pipeline | None = None
    built: Corpus | None = None
    corpus: CorpusFigures = field(default_factory=CorpusFigures)
    retrieval: RetrievalFigures | None = None
    held_out: RetrievalFigures | None = None
    tokens: dict[str, int] = field(default_factory=lambda: {"prompt": 0, "answer": 0, "embedding": 0})

    @property
    def up(self) -> Stack:
        """The stack; stages after `stack` have it."""
        return _there(self.stack, "stack")

    @property
    def ready(self) -> Pipeline:
        """The pipeline; stages after `migrate` have it."""
        return _there(self.pipeline, "migrate")

    @property
    def configured(self) -> PipelineConfig:
        """The pipeline's configuration; stages after `migrate` have it."""
        return _there(self.config, "migrate")

    @property
    def documents(self) -> Corpus:
        """The corpus; stages after `corpus` have it."""
        return _there(self.built, "corpus")

    @property
    def corpus_folder(self) -> Path:
        """The folder of documents."""
        return self.options.corpus or lessons_folder()

    def questions(self) -> list[Question]:
        """Return the golden questions: those asked for, else the lessons' own, else none."""
        if self.options.questions:
            return load_questions(self.options.questions)
        return load_questions(questions_file()) if self.options.corpus is None else []

    def named_model(self, model: str) -> str:
        """Return a model's name, with a word where the mock answered for it."""
        server = self.up.endpoints.get("ollama")
        return model if server is None or server.real else f"{model} (mock)"

    def simulated_usd(self) -> float:
        """Return what the run's calls would have cost at list price."""
        return to_usd(
            simulated_cost(
                prompt_tokens=self.tokens["prompt"],
                answer_tokens=self.tokens["answer"],
                embedding_tokens=self.tokens["embedding"],
            )
        )

    def count(self, answer: Answer) -> None:
        """Count the tokens of an answer."""
        self.tokens["prompt"] += answer.prompt_tokens
        self.tokens["answer"] += answer.answer_tokens


def named(endpoint: Endpoint) -> str:
    """Return service, product and version, as details show them."""
    return f"{endpoint.service} {endpoint.product} {endpoint.version}"


def _there(value: T | None, stage: str) -> T:
    if value is None:
        raise CheckFailed(f"the stage {stage} did not leave what later ones need")
    return value
