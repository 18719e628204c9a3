"""Every case in one list, how to run them, and what the suite leaves out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llm_conformance import cases_answers, cases_embed, cases_refused, cases_server, cases_structured
from llm_conformance.ask import Models, asking

if TYPE_CHECKING:
    from llm_conformance.ask import Client
    from llm_conformance.case import Case, Facts

LEFT_OUT = {
    "create, create_blob, pull, push": "they change what a server has: a models folder for tests is read-only",
    "systemone, web_search, web_fetch": "not Ollama's own wire, or not this machine's",
    "width, height, steps of generate": "for models that make pictures",
    "/v1/…": "the wire of another vendor",
}
"""What the client has and the suite does not ask for, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server to judge: the mock or a real one, and where it answers."""

    kind: Literal["mock", "real"]
    url: str


def cases() -> list[Case]:
    """Return every case, area by area."""
    modules = (cases_server, cases_embed, cases_answers, cases_structured, cases_refused)
    return [case for module in modules for table in module.TABLES for case in table.cases]


def find(url: str, case: Case, client: Client, models: Models) -> Facts:
    """Return the facts that a server gives for a case."""

    async def run() -> Facts:
        async with asking(url, client, models) as ask:
            return await case.find(ask)

    return asyncio.run(run())
