"""The LLM server: the mock's rules and journal; a real Ollama's models, which are checked and never copied."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from ragbed.errors import UsageError
from ragbed.http import request_json
from ragbed.stack.registry import kind_of
from ragbed.stores.files import opened, reference
from ragbed.stores.port import Census, StoreFailed, require_mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ragbed.guard.data_class import DataClass
    from ragbed.stack import Endpoint
    from ragbed.stores.port import Isolated, IsolationMode, SnapshotRef

FILE = "llm.json"


class LlmStore:
    """What an LLM server keeps between two requests.

    Args:
        endpoint: Where it answers.
    """

    service = "ollama"
    modes: frozenset[IsolationMode] = frozenset()

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._url = endpoint.url
        self._is_mock = not endpoint.real

    @contextmanager
    def isolate(self, test: str, mode: IsolationMode) -> Iterator[Isolated]:  # noqa: ARG002 - the port's
        """Refuse: an LLM server has no parts.

        Raises:
            UsageError: Always.
        """
        require_mode(self, mode)
        yield from ()

    def census(self) -> Census:
        """Return the models, and the number of the mock's rules and recorded calls."""
        names = dict.fromkeys((f"model {name}" for name in self._models()), 1)
        if not self._is_mock:
            return Census(counts=names)
        rules, calls = self._rules(), self._ask("GET", "/ragbed/calls")["calls"]
        return Census(counts={**names, "rules": len(rules), "calls": len(calls)})

    def reset(self) -> None:
        """Forget the mock's rules and journal; a real Ollama keeps no state but its models."""
        if self._is_mock:
            self._ask("POST", "/ragbed/reset", {"rules": True})

    def snapshot(self, into: Path, *, data_class: DataClass) -> SnapshotRef:
        """Write down the mock's rules, or the digests of a real Ollama's models."""
        path = into / FILE
        value = {"rules": self._rules()} if self._is_mock else {"models": dict(self._models())}
        path.write_text(json.dumps(value, indent=1, sort_keys=True), encoding="utf-8")
        return reference(path, self._endpoint, self.census(), data_class=data_class)

    def restore(self, ref: SnapshotRef, folder: Path) -> None:
        """Set the mock's rules and clear its journal; prove that a real Ollama has the same models."""
        if ref.product != self._endpoint.product:
            raise UsageError(
                f"the snapshot of ollama is of {ref.product}, and {self._endpoint.product} runs",
                hint="MODEL_PROVIDER=mock or MODEL_PROVIDER=ollama chooses",
            )
        value = json.loads(opened(ref, folder).read_text(encoding="utf-8"))
        if self._is_mock:
            self.reset()
            self._ask("PUT", "/ragbed/rules", {"rules": value["rules"]})
            return
        models = self._models()
        if other := [name for name, digest in value["models"].items() if models.get(name) != digest]:
            raise StoreFailed(
                f"this Ollama lacks models of the snapshot, or has other bytes: {', '.join(other)}",
                hint="ragbed models fetch",
            )

    def _rules(self) -> list[Any]:
        return list(self._ask("GET", "/ragbed/rules")["rules"])

    def _models(self) -> Mapping[str, str]:
        identity = kind_of(self.service).client(self._url, timeout_s=5.0).identify()
        return {name: identity.digests.get(name, "") for name in identity.models}

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = request_json(method, self._url.rstrip("/") + path, body=body, timeout_s=10.0)
        except (OSError, HTTPException) as error:
            raise StoreFailed(f"the LLM server does not answer: {error}") from error
        if answer.status != 200:
            raise StoreFailed(f"the LLM server refused {method} {path}: HTTP {answer.status}")
        return answer.value
