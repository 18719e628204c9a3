"""What fixtures hand to a test: the mock LLM with its rules and history, and all stores together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.http import request_json
from ragbed.stores import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.stores import Isolated


class MockLlm:
    """A running mock LLM, as one test sees it.

    Args:
        url: Where it answers, in Ollama's way and, below `/v1`, in OpenAI's.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that lead an application here."""
        return {"OLLAMA_HOST": self.url}

    def answers(self, rules: Mapping[str, str]) -> None:
        """Have prompts that match a regular expression answered so; the first that matches wins.

        Args:
            rules: Answers by pattern; they replace the rules that were set before.

        Raises:
            StoreFailed: The mock refused a pattern.
        """
        self.set_rules([{"pattern": pattern, "answer": answer} for pattern, answer in rules.items()])

    def set_rules(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rules by others in their JSON form, which can call tools and think.

        Raises:
            StoreFailed: The mock refused one.
        """
        self._ask("PUT", "/ragbed/rules", {"rules": list(rules)})

    def history(self) -> list[dict[str, Any]]:
        """Return the answered calls in order: operation, model, prompts, arguments."""
        return list(self._ask("GET", "/ragbed/history")["calls"])

    def calls(self) -> list[dict[str, Any]]:
        """Return every call as the journal has it: tokens, simulated cost, status, refused ones too."""
        return list(self._ask("GET", "/ragbed/calls")["calls"])

    def reset(self) -> None:
        """Forget rules and calls."""
        self._ask("POST", "/ragbed/reset", {"rules": True})

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = request_json(method, self.url.rstrip("/") + path, body=body)
        if answer.status != 200:
            said = answer.value.get("error", answer.value) if isinstance(answer.value, dict) else answer.value
            raise StoreFailed(f"the mock LLM refused {method} {path}: {said}")
        return answer.value


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All stores of one test.

    Attributes:
        postgres: A migrated database of its own.
        redis: An empty Redis.
        qdrant_url: An embedded Qdrant without collections.
        llm: A mock LLM without rules and history.
    """

    postgres: Isolated
    redis: Isolated
    qdrant_url: str
    llm: MockLlm

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that lead an application to these stores."""
        return {
            **self.postgres.environ,
            **self.redis.environ,
            "QDRANT_URL": self.qdrant_url,
            **self.llm.environ,
        }

    def describe(self) -> str:
        """Return the addresses, a line each; a password is part of an address."""
        return "\n".join(f"{name}={value}" for name, value in self.environ.items())
