"""The numbers of the policy: how long each phase of a request may take, what is repeated, what a batch holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ragbed.settings import definitions as setting

if TYPE_CHECKING:
    from ragbed.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPolicy:
    """How long to wait for Ollama, how often to ask again, and what to send with every request.

    Attributes:
        connect_s: Until a connection stands.
        load_s: Until a model is loaded. Long on purpose: a client that gives up makes Ollama drop the load.
        embed_s: Until the vectors of one batch are there; the model is loaded by then.
        first_token_s: Until an answer begins, and the longest silence in it; the model is loaded by then.
        answer_s: Until an answer is complete, looked at whenever a piece of it comes.
        keep_alive: How long Ollama keeps the model after a request: `10m`, seconds as `600`, for ever as `-1`;
            None leaves it to Ollama.
        num_thread: Threads that the model computes with; 0 leaves it to Ollama.
        batch_tokens: Tokens that one embedding request may hold, as `estimate_tokens` counts them.
        batch_texts: Texts that one embedding request may hold.
        pauses_s: Waits before asking again, one per repeat: as many repeats as there are pauses.
        tell_after_s: When the progress of a load is told first; a shorter load is not told at all.
        tell_every_s: How often it is told from then on.
    """

    connect_s: float = 5.0
    load_s: float = 900.0
    embed_s: float = 120.0
    first_token_s: float = 300.0
    answer_s: float = 600.0
    keep_alive: str | None = None
    num_thread: int = 0
    batch_tokens: int = 16_384
    batch_texts: int = 256
    pauses_s: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
    tell_after_s: float = 1.0
    tell_every_s: float = 5.0

    @classmethod
    def of(cls, settings: Settings, *, num_thread: int) -> Self:
        """Return the policy of these settings.

        Args:
            settings: Time-outs, and how long a model is kept.
            num_thread: As every request to that server asks for it: with another number a model is loaded anew.
        """
        return cls(
            load_s=settings[setting.LLM_LOAD_TIMEOUT_S],
            embed_s=settings[setting.EMBEDDING_TIMEOUT_S],
            first_token_s=settings[setting.LLM_FIRST_TOKEN_TIMEOUT_S],
            answer_s=settings[setting.LLM_ANSWER_TIMEOUT_S],
            keep_alive=settings[setting.LLM_KEEP_ALIVE] or None,
            num_thread=num_thread,
        )

    def kept(self) -> str | float | None:
        """Return how long the model is kept, as Ollama reads it: a number without a unit must not be text."""
        try:
            return float(self.keep_alive or "")
        except ValueError:
            return self.keep_alive

    def options(self) -> dict[str, Any]:
        """Return the options that go with every request: with others a loaded model is loaded anew."""
        return {"num_thread": self.num_thread} if self.num_thread else {}
