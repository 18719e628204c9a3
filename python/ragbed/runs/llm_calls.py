"""The calls of a run to the mock LLM as events, read from the mock's journal: only that sees all clients' calls."""

from __future__ import annotations

import logging
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ragbed.events import TestId, within_test
from ragbed.http import request_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ragbed.events import EventSink
    from ragbed.stack import Endpoint

logger = logging.getLogger(__name__)

_TOLD = ("id", "operation", "wire", "status", "input_tokens", "output_tokens", "spent_usd", "simulated_usd")


class LlmCalls:
    """Emits an `llm.call` for each call of a run that has ended.

    The journal keeps its last calls, some hundred: read it often enough. A real Ollama has none.

    Args:
        endpoints: Where services answer; the mock among them is asked, or none.
        run: Id of the run.
        sink: Takes the events.
    """

    def __init__(self, endpoints: Iterable[Endpoint], run: str, sink: EventSink) -> None:
        mocks = (one.url for one in endpoints if one.service == "ollama" and not one.real)
        self._url = next(mocks, "")
        self._run = run
        self._sink = sink
        self._latest = ""

    def read(self, *, test: str = "") -> None:
        """Emit the calls that ended since the last time; a mock that does not answer is left alone.

        Args:
            test: Only those of a test; empty takes all of the run.
        """
        if not self._url:
            return
        for call in self._ended(test):
            self._latest = call["id"]
            with within_test(TestId(call["test"]) if call["test"] else None):
                facts = {name: call[name] for name in _TOLD}
                self._sink.emit("llm.call", call["model"], seconds=call["seconds"], **facts)

    def _ended(self, test: str) -> list[Mapping[str, Any]]:
        asked = urlencode({"run": self._run, "test": test, "after": self._latest})
        try:
            answer = request_json("GET", f"{self._url.rstrip('/')}/ragbed/calls?{asked}", timeout_s=2.0)
            calls: list[Mapping[str, Any]] = answer.value["calls"]
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            logger.debug("the mock LLM's journal was not read: %r", error)
            return []
        return calls
