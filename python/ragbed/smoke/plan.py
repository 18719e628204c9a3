"""What a smoke run is asked for, and what each of its stages gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ragbed.data import Question, lessons_folder, load_questions, questions_file

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from ragbed.errors import RagbedError
    from ragbed.events import EventSink
    from ragbed.settings import Settings
    from ragbed.settings.llm import Caller
    from ragbed.stack import Endpoint, Stack
    from ragbed.state import StateFolder

T_co = TypeVar("T_co", covariant=True)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokePlan:
    """What every stage may look at: what is asked for, and where.

    Attributes:
        id: The run's id.
        settings: The resolved settings.
        folder: The state folder.
        options: What is asked for.
        cleanup: Closed at the end of the run, in reverse order.
        events: Told what happens on the way.
    """

    id: str
    settings: Settings
    folder: StateFolder
    options: SmokeOptions
    cleanup: ExitStack
    events: EventSink

    @property
    def corpus_folder(self) -> Path:
        """The folder of documents."""
        return self.options.corpus or lessons_folder()

    def questions(self) -> list[Question]:
        """Return the golden questions: those asked for, else the lessons' own, else none."""
        if self.options.questions:
            return load_questions(self.options.questions)
        return load_questions(questions_file()) if self.options.corpus is None else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Generic[T_co]):
    """What a stage gives back.

    Attributes:
        line: What was seen, for the report.
        value: What later stages and the report take.
        failure: Why the stage failed although there is a value; None when it passed.
    """

    line: str
    value: T_co
    failure: RagbedError | None = None


def named(endpoint: Endpoint) -> str:
    """Return service, product and version, as details show them."""
    return f"{endpoint.service} {endpoint.product} {endpoint.version}"


def named_model(stack: Stack, model: str) -> str:
    """Return a model's name, with a word where the mock answered for it."""
    server = stack.endpoints.get("ollama")
    return model if server is None or server.real else f"{model} (mock)"
