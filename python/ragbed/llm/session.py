"""Embeddings and answers of one Ollama, by the policy."""

from __future__ import annotations

import time
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ragbed.errors import AnswerFailed, EmbeddingFailed, ServiceMissing
from ragbed.events import SILENT
from ragbed.guard import redacted
from ragbed.llm.batching import batches
from ragbed.llm.failures import Failure, NamedRequest, error_for
from ragbed.llm.reply import Reply, reply_of
from ragbed.llm.retrying import RetryingClient
from ragbed.llm.timeouts_and_retries import ClientPolicy
from ragbed.llm.vectors import check_vectors
from ragbed.models.live_server import LiveServer
from ragbed.pins import with_tag
from ragbed.stack.load_progress import LoadProgress, reporting_load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Self

    import ollama

    from ragbed.events import EventSink

Use = Literal["embed", "chat"]

_FRESH_S = 30.0
"""A model that answered so recently is still loaded, unless another one was asked for in between."""
_LEAST_CONTEXT = 1024
"""No model that answers is loaded with less; what is shorter than that has surely been read whole."""
_LOADED_BY = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")
"""Options that Ollama loads a model with: a request that names others makes it load again."""


class OllamaSession:
    """Embeddings and answers of one Ollama. Close it, or use it as a context; threads may share it.

    An interrupt (Ctrl-C) closes the connection of the request under way, which makes Ollama drop it.

    Args:
        url: Where it answers.
        policy: Time-outs, repeats, batches; None takes the usual ones.
        events: Told every second or so how a load goes, on a thread of its own.
    """

    def __init__(
        self,
        url: str,
        policy: ClientPolicy | None = None,
        *,
        events: EventSink = SILENT,
    ) -> None:
        self.url = url
        self.policy = policy or ClientPolicy()
        self._client = RetryingClient(url, self.policy)
        self._events = events
        self._latest: tuple[str, dict[str, Any], float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        self._client.close()

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text, in order; nothing is cut silently.

        Args:
            model: Name with or without a tag.
            texts: Sent in batches of bounded size.

        Raises:
            InputTooLong: A text exceeds the model's context; it is not said which.
            EmbeddingFailed: The model refused, or gave something else than one finite vector per text.
            ServiceMissing: Ollama does not answer, or has no such model.
        """
        policy, options = self.policy, self.policy.options()
        vectors: list[list[float]] = []
        for batch in batches(texts, tokens=policy.batch_tokens, count=policy.batch_texts):
            self._require_loaded(model, "embed", options)
            vectors += self._embed(model, batch, options)
            self._note(model, options)
        check_vectors(vectors, wanted=len(texts), model=model)
        return vectors

    def _embed(self, model: str, batch: Sequence[str], options: dict[str, Any]) -> list[list[float]]:
        limit_s = self.policy.embed_s
        send = partial(
            self._client.client(limit_s).embed,
            model=model,
            input=batch,
            truncate=False,
            options=options,
            keep_alive=self.policy.kept(),
        )
        answer = self._client.ask(
            self._call(f"embedding {_counted(batch)} by {model}", model, "embed", limit_s), send
        )
        return [list(vector) for vector in answer.embeddings]

    def chat(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        options: Mapping[str, Any] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """Return a model's answer, read as it comes.

        Args:
            model: Name with or without a tag.
            messages: Each with `role` and `content`.
            options: Ollama's, as `temperature`, `seed`, `num_predict`.
            on_text: Called with each piece of text as it comes; an answer that has begun is not asked for again.

        Raises:
            AnswerFailed: The model refused, broke off, or had no room for prompt and answer.
            ServiceMissing: Ollama does not answer, or has no such model.
        """
        chosen = {**self.policy.options(), **(options or {})}
        loaded_by = {name: value for name, value in chosen.items() if name in _LOADED_BY}
        self._require_loaded(model, "chat", loaded_by)
        limit_s = min(self.policy.first_token_s, self.policy.answer_s)
        call = self._call(f"an answer by {model}", model, "chat", limit_s)
        pieces: list[ollama.ChatResponse] = []
        send = partial(
            self._client.client(limit_s).chat,
            model=model,
            messages=messages,
            options=chosen,
            keep_alive=self.policy.kept(),
            stream=True,
        )
        self._client.ask(call, lambda: self._read(send, pieces, call, on_text), begun=lambda: bool(pieces))
        self._note(model, loaded_by)
        reply = reply_of(pieces, call)
        self._require_whole(reply, call)
        return reply

    def _read(
        self,
        send: Callable[[], Any],
        pieces: list[ollama.ChatResponse],
        call: NamedRequest,
        on_text: Callable[[str], None] | None,
    ) -> None:
        """Collect the pieces of an answer; whatever ends it early closes the stream, and Ollama stops computing."""
        limit_s = self.policy.answer_s
        deadline = time.monotonic() + limit_s
        with closing(send()) as stream:
            for piece in stream:
                pieces.append(piece)
                if on_text and piece.message.content:
                    on_text(piece.message.content)
                if time.monotonic() > deadline:
                    late = replace(call, limit_s=limit_s, limit="llm.answer_timeout_s")
                    raise error_for(Failure(kind="slow", said="", begun=True), late)

    def _require_whole(self, reply: Reply, call: NamedRequest) -> None:
        """Refuse an answer to a part of the prompt: over its context, a model drops the rest without a word."""
        used = (reply.prompt_tokens or 0) + (reply.answer_tokens or 0)
        if used < _LEAST_CONTEXT:
            return
        running = self._client.ask(call, self._client.client(call.limit_s).ps).models
        context = next((one.context_length for one in running if one.model == with_tag(call.model)), None)
        if context and used > context:
            raise AnswerFailed(
                f"{call.model} had no room for the whole prompt: its context is {context} tokens,"
                f" prompt and answer came to {used} at least",
                hint="ask for fewer or smaller passages (pipeline.top_k, pipeline.chunk_tokens),"
                " or start Ollama with a larger OLLAMA_CONTEXT_LENGTH",
            )

    def load(self, model: str, *, use: Use, options: Mapping[str, Any] | None = None) -> None:
        """Load a model and wait until it is; one that is loaded costs a request of a millisecond or two.

        Args:
            model: Name with or without a tag.
            use: What it is for.
            options: Those that later requests send: with others Ollama loads it again. None takes the policy's.

        Raises:
            EmbeddingFailed, AnswerFailed: It cannot be loaded, or not be used so.
            ServiceMissing: Ollama does not answer, or has no such model.
        """
        chosen = self.policy.options() if options is None else dict(options)
        self._client.client(self.policy.load_s)  # what importing it takes is not a load
        with self._told(model):
            self._touch(f"loading {model}", model, use, options=chosen, keep_alive=self.policy.kept())
        self._note(model, chosen)

    def unload(self, model: str, *, use: Use) -> None:
        """Make Ollama drop a model from memory; one that is not loaded is not a mistake.

        Raises:
            ServiceMissing: Ollama does not answer, or has no such model.
        """
        self._touch(f"unloading {model}", model, use, options=self.policy.options(), keep_alive=0)
        self._latest = None

    def _touch(
        self, doing: str, model: str, use: Use, *, options: dict[str, Any], keep_alive: str | float | None
    ) -> None:
        """Send a request without content: it loads the model, or drops it where nothing is to be kept alive."""
        limit_s = self.policy.load_s
        client = self._client.client(limit_s)
        send: Callable[[], object] = partial(
            client.embed, model=model, input=[], options=options, keep_alive=keep_alive
        )
        if use == "chat":
            send = partial(client.chat, model=model, messages=[], options=options, keep_alive=keep_alive)
        call = replace(self._call(doing, model, use, limit_s), limit="llm.load_timeout_s", repeatable=True)
        self._client.ask(call, send)

    def _require_loaded(self, model: str, use: Use, options: dict[str, Any]) -> None:
        """Load a model apart from the request: that one's time-out is shorter, and would abort the load."""
        if self._latest:
            known, loaded_by, at = self._latest
            if (known, loaded_by) == (model, options) and time.monotonic() - at < _FRESH_S:
                return
        self.load(model, use=use, options=options)

    def _note(self, model: str, options: dict[str, Any]) -> None:
        self._latest = (model, options, time.monotonic())

    def _told(self, model: str) -> AbstractContextManager[None]:
        if self._events is SILENT:  # without a thread that talks to no listener
            return nullcontext()
        policy = self.policy
        return reporting_load(
            model,
            LoadProgress(
                events=self._events,
                size=self._size,
                after_s=policy.tell_after_s,
                every_s=policy.tell_every_s,
            ),
        )

    def _size(self, model: str) -> int:
        try:
            listed = LiveServer(self.url).models().get(with_tag(model))
        except ServiceMissing:  # the load itself will say so
            return 0
        return listed.size_bytes if listed else 0

    def _call(self, doing: str, model: str, use: Use, limit_s: float) -> NamedRequest:
        embeds = use == "embed"
        return NamedRequest(
            server=redacted(self.url),
            model=model,
            doing=doing,
            failed=EmbeddingFailed if embeds else AnswerFailed,
            repeatable=embeds,
            limit_s=limit_s,
            limit="embedding.timeout_s" if embeds else "llm.first_token_timeout_s",
        )


def _counted(texts: Sequence[str]) -> str:
    return "a text" if len(texts) == 1 else f"{len(texts)} texts"
