"""Equal vectors give equal ids: the golden questions, asked with vectors that no model has a say in."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.data import lessons_folder, load_questions, questions_file
from ragbed.gateway.mock.embedding import embed_text
from ragbed.pipeline import open_pipeline
from ragbed.pipeline.adapters.ollama import OllamaChat
from ragbed.pipeline.backends import KINDS, open_backends
from ragbed.pipeline.on_stack import pipeline_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ragbed.events import EventSink
    from ragbed.parity.place import Place
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.ports import ChatModel, Embedder
    from ragbed.pipeline.records import Vector

_DIMENSIONS = 384
_TOP_K = 10


class HashedEmbedder:
    """Embeds by hashed words, in this process: the same vectors whatever the stack has for a model."""

    def digest(self) -> str:
        """Return what stands for a model's digest."""
        return "hashed-words-384"

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order."""
        return [list(embed_text(text, _DIMENSIONS)) for text in texts]


def retrieved_ids(place: Place) -> dict[str, list[str]]:
    """Return the ids of the chunks that each golden question retrieves, best first, by the question's id.

    Args:
        place: Its Postgres, Redis and Qdrant hold the lessons for as long as the questions are asked.
    """
    config = pipeline_config(
        place.stack, place.settings, folder=place.folder, namespace=f"parity_{secrets.token_hex(4)}"
    )
    kinds = replace(KINDS, models=dict.fromkeys(("http", "https"), _hashed))
    with open_pipeline(config, backends=open_backends(config, kinds=kinds)) as pipeline:
        try:
            pipeline.ingest(lessons_folder())
            return {
                one.id: [chunk.chunk_id for chunk in pipeline.retrieve(one.question, top_k=_TOP_K)]
                for one in load_questions(questions_file())
            }
        finally:
            pipeline.drop()


def _hashed(config: PipelineConfig, _events: EventSink) -> tuple[Embedder, ChatModel, Callable[[], None]]:
    chat = OllamaChat(config)  # retrieval asks it nothing
    return HashedEmbedder(), chat, chat.close
