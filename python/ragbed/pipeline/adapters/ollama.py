"""Embeddings and answers by Ollama, by the one client policy; the model's digest by the guard's light client."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ragbed.errors import AnswerFailed, ServiceMissing
from ragbed.events import SILENT
from ragbed.guard import NotThere, WrongService, redacted
from ragbed.guard.stores import OllamaStore
from ragbed.pipeline.ports import ChatReply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ragbed.events import EventSink
    from ragbed.llm import OllamaSession
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.records import Vector

_UP = "ragbed up starts the services, ragbed status shows them"


class OllamaConnection:
    """One session for everything that a pipeline asks of Ollama, opened when it is first needed.

    Args:
        config: Address, time limits, and what goes with every request.
        events: Told how the load of a model goes.
    """

    def __init__(self, config: PipelineConfig, events: EventSink = SILENT) -> None:
        self._config = config
        self._events = events

    @cached_property
    def session(self) -> OllamaSession:
        """The session."""
        from ragbed.llm import ClientPolicy, OllamaSession  # noqa: PLC0415 - unchanged ingests need none

        config = self._config
        policy = ClientPolicy(
            connect_s=config.limits.connect_timeout_s,
            load_s=config.limits.load_timeout_s,
            embed_s=config.limits.embed_timeout_s,
            first_token_s=config.limits.first_token_timeout_s,
            answer_s=config.limits.answer_timeout_s,
            keep_alive=config.models.keep_alive or None,
            num_thread=config.models.num_thread,
        )
        return OllamaSession(config.models.url, policy, events=self._events)

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        if "session" in self.__dict__:
            self.session.close()


class OllamaEmbedder:
    """Embeds by Ollama, never letting it cut a text silently.

    Args:
        config: Address and model.
        connection: Shared with others; None makes one of its own.
    """

    def __init__(self, config: PipelineConfig, connection: OllamaConnection | None = None) -> None:
        self._config = config
        self._connection = connection or OllamaConnection(config)
        self._digest = ""

    def digest(self) -> str:
        """Return the digest that Ollama reports for the model; asked once."""
        if not self._digest:
            self._digest = model_digest(self._config, self._config.models.embedding)
        return self._digest

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        self._connection.close()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order.

        Raises:
            InputTooLong: A text exceeds the model's context.
            EmbeddingFailed: The model refused, or gave something else than one finite vector per text.
            ServiceMissing: Ollama does not answer, or has no such model.
        """
        return self._connection.session.embed(self._config.models.embedding, texts)


class OllamaChat:
    """Answers by Ollama.

    Args:
        config: Address, model, seed and longest answer.
        connection: Shared with others; None makes one of its own.
    """

    def __init__(self, config: PipelineConfig, connection: OllamaConnection | None = None) -> None:
        self._config = config
        self._connection = connection or OllamaConnection(config)

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        self._connection.close()

    def chat(self, system: str, user: str, *, on_text: Callable[[str], None] | None = None) -> ChatReply:
        """Return the model's answer, sampled at temperature 0 with the configured seed.

        Args:
            system: What the model is told first.
            user: The message.
            on_text: Called with each piece of text as it comes; None waits for the whole.

        Raises:
            AnswerFailed: The model refused, or said nothing.
            ServiceMissing: Ollama does not answer, or has no such model.
        """
        model = self._config.models.chat
        options = {
            "temperature": 0,
            "seed": self._config.models.seed,
            "num_predict": self._config.models.answer_tokens,
        }
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        reply = self._connection.session.chat(model, messages, options=options, on_text=on_text)
        text = reply.text.strip()
        if not text:
            raise AnswerFailed(
                f"{model} answered with an empty message",
                hint="raise models.answer_tokens, or take another model",
            )
        return ChatReply(
            text=text,
            model=reply.model,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
        )


def model_digest(config: PipelineConfig, model: str) -> str:
    """Return the digest that Ollama reports for a model, without its algorithm.

    Raises:
        ServiceMissing: The model is not there, or Ollama does not answer.
    """
    try:
        server = OllamaStore(config.models.url, timeout_s=config.limits.connect_timeout_s)
        digests = server.identify().digests
    except (NotThere, WrongService) as error:
        raise ServiceMissing(
            f"Ollama does not answer at {redacted(config.models.url)}: {error}", hint=_UP
        ) from error
    digest = digests.get(model) or digests.get(f"{model}:latest")
    if not digest:
        from ragbed.pins import fetch_command  # noqa: PLC0415 - only a missing model needs it

        raise ServiceMissing(
            f"Ollama has no model {model}",
            details=[f"it has: {', '.join(sorted(digests)) or 'none'}"],
            hint=fetch_command([model]),
        )
    return digest.removeprefix("sha256:")
