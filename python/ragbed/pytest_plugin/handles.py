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

    def fail(self, *faults: Mapping[str, Any]) -> None:
        """Have calls fail: refused, delayed, or their answers broken off.

        Args:
            faults: Such as `{"status": 429, "headers": {"Retry-After": "1"}, "times": 2}`, `{"cut_after": 3}` or
                `{"delay_s": 2}`; they replace the faults that were set before. docs/mock-llm.md has every field.

        Raises:
            StoreFailed: The mock refused one; says what is wrong with it.
        """
        self._ask("PUT", "/ragbed/faults", {"faults": list(faults)})

    def verdict(self) -> list[str]:
        """Return what the client did wrong while calls failed, a sentence each."""
        from ragbed.pytest_plugin.resilience import judge  # noqa: PLC0415 - only who asks

        return judge(self.calls(), self._ask("GET", "/ragbed/faults")["faults"])

    def assert_resilient(self) -> None:
        """Fail unless the client behaved well while calls failed; say so where none did.

        It is to honour Retry-After, to back off with jitter, to ask again after a fault that passes and for an answer
        that broke off, not to repeat what will be refused again, and to give up in the end.

        Raises:
            AssertionError: It did not, or no call met a fault.
        """
        if not any(call["fault"] for call in self.calls()):
            raise AssertionError(
                "no call met a fault: set faults by ragbed_llm.fail(…) before the client calls"
            )
        if problems := self.verdict():
            raise AssertionError("\n".join(["the client of the LLM is not resilient:", *problems]))

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
