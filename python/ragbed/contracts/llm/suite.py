"""Every case in one list, how to run them, and what the suite leaves out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ragbed.contracts.llm import (
    cases_answers,
    cases_embed,
    cases_refused,
    cases_server,
    cases_streams,
    cases_structured,
)
from ragbed.contracts.llm.ask import Models, asking

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Client
    from ragbed.contracts.llm.case import Case, Facts

ASKED = {"chat", "generate", "embed", "embeddings", "list", "ps", "show", "delete", "copy"}
"""Methods of the client that have cases."""

_FIXED = "a models folder for tests is only read"
_ELSEWHERE = "no call of Ollama's own wire"
LEFT_OUT = {
    "create": _FIXED,
    "create_blob": _FIXED,
    "pull": _FIXED,
    "push": _FIXED,
    "systemone": _ELSEWHERE,
    "web_search": _ELSEWHERE,
    "web_fetch": _ELSEWHERE,
    "close": "asks no server",
}
"""Methods of the client that have none, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server to judge: the mock or a real one, and where it answers."""

    kind: Literal["mock", "real"]
    url: str


def cases() -> list[Case]:
    """Return every case, area by area."""
    modules = (cases_server, cases_embed, cases_answers, cases_streams, cases_structured, cases_refused)
    return [case for module in modules for table in module.TABLES for case in table.cases]


def find(url: str, case: Case, client: Client, models: Models) -> Facts:
    """Return the facts that a server gives for a case."""

    async def run() -> Facts:
        async with asking(url, client, models) as ask:
            return await case.find(ask)

    return asyncio.run(run())
