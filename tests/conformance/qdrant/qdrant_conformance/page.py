"""The page that says what is the same and what is not, made from the suite: `scripts/compatibility-page`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qdrant_conformance.rules import RULES
from ragbed.contracts.vector_store.cases_http import REQUESTS
from ragbed.contracts.vector_store.expectations import differences
from ragbed.contracts.vector_store.suite import EXCEPTED, cases, parameters, public_methods

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ragbed.contracts.vector_store.case import Case
    from ragbed.contracts.vector_store.expectations import Deviation

PAGE = Path(__file__).parents[4] / "docs" / "embedded-qdrant-compatibility.md"
UNTOUCHED = "not judged"

SERVER = "1.19.0"
"""Version of the real server that the outcomes were recorded on; empty while there was none."""

RECORDED_ON = "The expected outcomes were recorded on a real server of version {server}."
NOT_YET = """**The expected outcomes have not been compared
with a real server yet**: they were recorded on the embedded one, and corrected where the reference says otherwise. What
they prove is that nothing changes unseen, and that every call and parameter is answered or refused.
`scripts/record-qdrant URL` records those of a real server."""  # fmt: skip
SAME = "same" if SERVER else "as expected"

RULES_HEAD = """The engine is Qdrant's own; these rules live in the layers that a real server has around it, so they are made anew here. They
were read in the source of a server of 1.19.0, at the place named, and compared; `tests/conformance/qdrant` asks those that one request
shows."""  # fmt: skip  # noqa: E501

HEAD = """# What the embedded Qdrant does as a real one, and what not

```sh
scripts/compare-qdrant http://127.0.0.1:6333 http://127.0.0.1:6335
```

compares two servers call by call, an embedded and a real one for example, and ends in a line that says how many
cases are the same and how many differ.

This page is made from the same suite by `scripts/compatibility-page`: {cases} cases over every public method that asks
a server, by `QdrantClient` and by `AsyncQdrantClient` of qdrant-client {client}, and {requests} requests below it.
{same} are {words}, {differ} differ, and {refused} are refused with 501. {basis}

"{word}" means: the expected result but for times, counters and the fifth digit of a score, or the expected status of a
refusal, and the expected data afterwards. A method is judged by all its cases, a parameter by those that give it.
"""


def build(client: str) -> str:
    """Return the page."""
    known = differences()
    everything = cases()
    ids = [*(case.id for case in everything), *(f"http: {request.rule}" for request in REQUESTS)]
    refused = sum(known[one].is_refused for one in ids if one in known)
    head = HEAD.format(
        cases=len(everything),
        requests=len(REQUESTS),
        client=client,
        word=SAME,
        words="the same" if SERVER else SAME,
        basis=RECORDED_ON.format(server=SERVER) if SERVER else NOT_YET,
        same=sum(one not in known for one in ids),
        differ=sum(one in known for one in ids) - refused,
        refused=refused,
    )
    parts = [head, *_methods(everything, known), *_differences(ids, known), *_rules(), *_excepted()]
    return "\n".join(parts) + "\n"


def verdict(ids: Iterable[str], known: dict[str, Deviation]) -> str:
    """Return the verdict on some cases together."""
    found = list(ids)
    if not found:
        return UNTOUCHED
    refused = sum(one in known and known[one].is_refused for one in found)
    differ = sum(one in known for one in found) - refused
    if refused == len(found):
        return "refused 501"
    parts = [f"{differ} differ" if differ else "", f"{refused} refused 501" if refused else ""]
    told = ", ".join(part for part in parts if part)
    return f"{len(found) - differ - refused} of {len(found)} {SAME}; {told}" if told else SAME


def _methods(everything: list[Case], known: dict[str, Deviation]) -> list[str]:
    lines = ["## Methods", "", "| method | parameter | verdict |", "|---|---|---|"]
    for method in public_methods():
        mine = [case for case in everything if case.step.method == method]
        lines.append(f"| **`{method}`** | | {verdict((case.id for case in mine), known)} |")
        for name in parameters(method):
            given = mine if name == "collection_name" else [c for c in mine if name in c.step.arguments]
            lines.append(f"| | `{name}` | {verdict((case.id for case in given), known)} |")
    return lines


def _differences(ids: list[str], known: dict[str, Deviation]) -> list[str]:
    differ = [one for one in ids if one in known and not known[one].is_refused]
    refused = [one for one in ids if one in known and known[one].is_refused]
    lines = ["", "## What differs, and how", "", "| case | how |", "|---|---|"]
    lines += [f"| `{_cell(one)}` | {_cell(known[one].how)} |" for one in differ]
    lines += ["", "## What is refused with 501", ""]
    return [*lines, *(f"- `{one}`" for one in refused)]


def _rules() -> list[str]:
    lines = [
        "",
        "## Rules around the engine",
        "",
        RULES_HEAD,
        "",
        "| rule | source | here |",
        "|---|---|---|",
    ]
    return [*lines, *(f"| {_cell(rule.what)} | `{rule.source}` | {_cell(rule.verdict)} |" for rule in RULES)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _excepted() -> list[str]:
    lines = ["", "## What has no case", "", "| name | why |", "|---|---|"]
    return [*lines, *(f"| `{name}` | {why} |" for name, why in sorted(EXCEPTED.items()))]


def main() -> None:
    """Write the page."""
    from importlib.metadata import version

    PAGE.write_text(build(version("qdrant-client")))


if __name__ == "__main__":
    main()
