"""Embeddings and answers by Ollama's official client; the model's digest by plain HTTP."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

from ragbed.errors import AnswerFailed, EmbeddingFailed, RagbedError, ServiceMissing
from ragbed.pipeline.adapters.http import request_json
from ragbed.pipeline.ports import ChatReply, InputTooLong

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ollama

    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.records import Vector

_TOO_LONG = "context length"
_UP = "ragbed up starts the services, ragbed status shows them"


class OllamaEmbedder:
    """Embeds by Ollama, never letting it cut a text silently.

    Args:
        config: Address, model and time limits.
    """

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        self._digest = ""

    @cached_property
    def _client(self) -> ollama.Client:
        return _client(self._config, self._config.embed_timeout_s)

    def digest(self) -> str:
        """Return the digest that Ollama reports for the model; asked once."""
        if not self._digest:
            self._digest = model_digest(self._config, self._config.embedding_model)
        return self._digest

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        if "_client" in self.__dict__:
            self._client.close()  # type: ignore[no-untyped-call]

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order.

        Raises:
            InputTooLong: A text exceeds the model's context.
            EmbeddingFailed: The model refused, or gave something else than one finite vector per text.
            ServiceMissing: Ollama does not answer.
        """
        import httpx  # noqa: PLC0415 - comes with the client
        import ollama  # noqa: PLC0415 - 0.3 s to import

        model = self._config.embedding_model
        try:
            answer = self._client.embed(model=model, input=list(texts), truncate=False)
        except ollama.ResponseError as error:
            kind = InputTooLong if _TOO_LONG in error.error else EmbeddingFailed
            raise kind(f"{model} did not embed {len(texts)} texts: {error.error}") from error
        except (ConnectionError, httpx.TransportError) as error:
            raise _missing(self._config, error, f"embedding {len(texts)} texts by {model}") from error
        except ValueError as error:  # the client validates the answer's shape
            raise EmbeddingFailed(f"{model} answered what is no embedding: {_first_line(error)}") from error
        vectors = [list(vector) for vector in answer.embeddings]
        check_vectors(vectors, wanted=len(texts), model=model)
        return vectors


class OllamaChat:
    """Answers by Ollama.

    Args:
        config: Address, model, seed and time limits.
    """

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config

    @cached_property
    def _client(self) -> ollama.Client:
        return _client(self._config, self._config.answer_timeout_s)

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        if "_client" in self.__dict__:
            self._client.close()  # type: ignore[no-untyped-call]

    def chat(self, system: str, user: str) -> ChatReply:
        """Return the model's answer, sampled at temperature 0 with the configured seed.

        Raises:
            AnswerFailed: The model refused, or said nothing.
            ServiceMissing: Ollama does not answer.
        """
        import httpx  # noqa: PLC0415 - comes with the client
        import ollama  # noqa: PLC0415 - 0.3 s to import

        model = self._config.chat_model
        options = {"temperature": 0, "seed": self._config.seed, "num_predict": self._config.answer_tokens}
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        try:
            answer = self._client.chat(model=model, messages=messages, options=options)
        except ollama.ResponseError as error:
            raise AnswerFailed(
                f"{model} did not answer: {error.error}",
                hint=f"ollama pull {model}" if error.status_code == 404 else "",
            ) from error
        except (ConnectionError, httpx.TransportError) as error:
            raise _missing(self._config, error, f"an answer by {model}") from error
        except ValueError as error:  # the client validates the answer's shape
            raise AnswerFailed(f"{model} answered what is no chat message: {_first_line(error)}") from error
        text = (answer.message.content or "").strip()
        if not text:
            raise AnswerFailed(
                f"{model} answered with an empty message", hint="raise answer_tokens, or take another model"
            )
        return ChatReply(
            text=text,
            model=answer.model or model,
            prompt_tokens=answer.prompt_eval_count or 0,
            answer_tokens=answer.eval_count or 0,
        )


def model_digest(config: PipelineConfig, model: str) -> str:
    """Return the digest that `/api/tags` reports for a model.

    Raises:
        EmbeddingFailed: The model is not there.
        ServiceMissing: Ollama does not answer.
    """
    url = f"{config.ollama_url.rstrip('/')}/api/tags"
    status, body = request_json("GET", url, service="Ollama", timeout_s=config.connect_timeout_s)
    models = body.get("models") if isinstance(body, dict) else None
    if status != 200 or not isinstance(models, list):
        raise ServiceMissing(f"Ollama answered {status} to GET /api/tags, not a list of models", hint=_UP)
    digests = {
        str(item.get("name", "")): str(item.get("digest", "")) for item in models if isinstance(item, dict)
    }
    digest = digests.get(model) or digests.get(f"{model}:latest")
    if not digest:
        raise EmbeddingFailed(
            f"Ollama has no model {model}",
            details=[f"it has: {', '.join(sorted(digests)) or 'none'}"],
            hint=f"ollama pull {model}",
        )
    return digest


def check_vectors(vectors: Sequence[Vector], *, wanted: int, model: str) -> None:
    """Refuse anything but one finite vector per text, all of one dimension.

    Raises:
        EmbeddingFailed: Names what is wrong.
    """
    if len(vectors) != wanted:
        raise EmbeddingFailed(f"{model} gave {len(vectors)} vectors for {wanted} texts")
    dimensions = {len(vector) for vector in vectors}
    if len(dimensions) > 1 or 0 in dimensions:
        raise EmbeddingFailed(f"{model} gave vectors of {sorted(dimensions)} dimensions")
    for number, vector in enumerate(vectors):
        if not all(map(math.isfinite, vector)):
            raise EmbeddingFailed(
                f"{model} gave a vector with numbers that are not finite for text {number + 1} of {wanted}"
            )


def _client(config: PipelineConfig, timeout_s: float) -> ollama.Client:
    import httpx  # noqa: PLC0415 - comes with the client
    import ollama  # noqa: PLC0415 - 0.3 s to import

    timeout = httpx.Timeout(timeout_s, connect=config.connect_timeout_s)
    return ollama.Client(host=config.ollama_url, timeout=timeout, trust_env=False)


def _missing(config: PipelineConfig, error: Exception, what: str) -> RagbedError:
    return ServiceMissing(
        f"Ollama at {config.ollama_url} did not finish {what}: {_first_line(error) or type(error).__name__}",
        hint=_UP,
    )


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
