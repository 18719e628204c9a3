"""How many threads a model computes with, where no setting says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.stack.cores import threads_beside_others
from ragbed.stack.record import load_record
from ragbed.stack.section import LLM_NUM_THREAD
from ragbed.state import find_state_folder

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.stack.endpoint import Endpoint


def num_thread(settings: Settings, endpoint: Endpoint) -> int:
    """Return what requests to an Ollama ask for; 0 leaves it to the server.

    Who starts the server decides: one that we started shares the machine with the rest of the stack, and one that ran
    already is left as its owner has set it up. Every request must ask for the same: another number loads the model
    anew.

    Args:
        settings: `llm.num_thread` of these, where it is not 0, goes before.
        endpoint: The Ollama.
    """
    ours = endpoint.launcher == "process" and endpoint.real
    return settings[LLM_NUM_THREAD] or (threads_beside_others() if ours else 0)


def num_thread_at(settings: Settings, url: str) -> int:
    """Return what requests to the Ollama at an address ask for: `num_thread` of the stack that is up, if it is there.

    Args:
        settings: As for `num_thread`.
        url: As the stack's record would have it.
    """
    record = load_record(find_state_folder())
    endpoint = record.endpoints.get("ollama") if record else None
    if endpoint is None or endpoint.url != url:
        return settings[LLM_NUM_THREAD]
    return num_thread(settings, endpoint)
