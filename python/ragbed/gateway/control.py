"""The control API under `/ragbed/`: what was asked, fixed answers, a fresh start between two tests; and `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from ragbed.errors import UsageError
from ragbed.gateway.engine import ToolCall
from ragbed.gateway.history import history
from ragbed.gateway.mock import Rule
from ragbed.gateway.wires.json_http import WireError, json_response, read_object
from ragbed.prometheus import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from ragbed.gateway.faults import Faults
    from ragbed.gateway.journal import Journal
    from ragbed.gateway.mock import MockEngine


class Control:
    """Reads the journal and sets the rules of a running mock.

    Args:
        engine: Whose rules are set.
        journal: What is shown and cleared.
        faults: Which are set.
    """

    def __init__(self, engine: MockEngine, journal: Journal, faults: Faults) -> None:
        self._engine = engine
        self._journal = journal
        self._faults = faults

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/ragbed/calls", self._show_calls),
            Route("/ragbed/history", self._show_history),
            Route("/ragbed/reset", self._reset, methods=["POST"]),
            Route("/ragbed/rules", self._show_rules, methods=["GET"]),
            Route("/ragbed/rules", self._set_rules, methods=["PUT"]),
            Route("/ragbed/faults", self._show_faults, methods=["GET"]),
            Route("/ragbed/faults", self._set_faults, methods=["PUT"]),
            Route("/metrics", self._show_metrics),
        ]

    async def _show_metrics(self, _request: Request) -> Response:
        return Response(self._journal.metrics.text(), media_type=CONTENT_TYPE)

    async def _show_calls(self, request: Request) -> Response:
        """Show the last calls; with `?run=` those of a run, of one `test=` of it, and that ended `after=` a call."""
        asked = request.query_params
        if run := asked.get("run", ""):
            calls = self._journal.calls_of(run, test=asked.get("test", ""), after=asked.get("after", ""))
        else:
            calls = [entry.call for entry in self._journal.entries()]
        return json_response({"calls": [call.to_json() for call in calls]})

    async def _show_history(self, _request: Request) -> Response:
        return json_response(history(self._journal))

    async def _reset(self, request: Request) -> Response:
        """Forget the history; with `{"rules": true}` the rules and faults too."""
        body = await read_object(request, empty_is_none=True)
        self._journal.clear()
        if body.get("rules") is True:
            self._engine.rules = ()
            self._faults.set([])
        return json_response({"total": 0, "rules": len(self._engine.rules)})

    async def _show_rules(self, _request: Request) -> Response:
        return json_response({"rules": [rule.to_json() for rule in self._engine.rules]})

    async def _set_rules(self, request: Request) -> Response:
        """Replace all rules by those of the body, `{"rules": [{"pattern": …, "answer": …}]}`; or tool_calls."""
        self._engine.rules = _rules((await read_object(request)).get("rules"))
        return await self._show_rules(request)

    async def _show_faults(self, _request: Request) -> Response:
        return json_response({"faults": self._faults.to_json()})

    async def _set_faults(self, request: Request) -> Response:
        """Replace all faults by those of the body, `{"faults": [{"status": 429, "times": 2}]}`."""
        try:
            self._faults.set((await read_object(request)).get("faults"))
        except UsageError as error:
            raise WireError(error.message) from error
        return await self._show_faults(request)


def _rules(values: Any) -> tuple[Rule, ...]:
    if not isinstance(values, list):
        raise WireError('rules must be a list of {"pattern": …, "answer": …}')
    return tuple(_rule(value) for value in values)


def _rule(value: Any) -> Rule:
    given = dict(value) if isinstance(value, dict) else {}
    thinking = given.pop("thinking", None)
    try:
        if thinking is not None and not isinstance(thinking, str):
            raise WireError(f"thinking of a rule is a string: {value!r}")
        if _has(given, {"pattern": str, "answer": str}):
            return Rule(pattern=given["pattern"], answer=given["answer"], thinking=thinking)
        if _has(given, {"pattern": str, "tool_calls": list}) and given["tool_calls"]:
            calls = tuple(map(_call, given["tool_calls"]))
            return Rule(pattern=given["pattern"], tool_calls=calls, thinking=thinking)
    except UsageError as error:
        raise WireError(error.message) from error
    raise WireError(
        "a rule has a pattern and an answer, both strings, or tool_calls, perhaps thinking, and nothing else: "
        f"{value!r}"
    )


def _call(value: Any) -> ToolCall:
    if not _has(value, {"name": str, "arguments": dict}):
        raise WireError(f'a tool call is {{"name": …, "arguments": {{…}}}}, not {value!r}')
    return ToolCall(name=value["name"], arguments=value["arguments"])


def _has(value: Any, fields: Mapping[str, type]) -> bool:
    """Tell whether a value is an object of just these fields, each of its type."""
    return (
        isinstance(value, dict)
        and value.keys() == fields.keys()
        and all(isinstance(value[name], kind) for name, kind in fields.items())
    )
