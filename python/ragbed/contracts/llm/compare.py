"""Compare two servers rule by rule: `scripts/compare-llm URL_A URL_B`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import httpx

from ragbed.contracts.llm.ask import Models
from ragbed.contracts.llm.differences import KNOWN
from ragbed.contracts.llm.suite import cases, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragbed.contracts.llm.case import Facts

USAGE = (
    "usage: compare-llm URL_A URL_B [EMBEDDING_MODEL CHAT_MODEL]; without models, made-minilm and made-tiny"
)


def report(left: Mapping[str, Facts], right: Mapping[str, Facts]) -> list[str]:
    """Return one line per case, what each server gives where they differ, or why that is known; then the totals."""
    kinds = {case: _kind(case, left[case], right[case]) for case in left}
    lines = [line for case, kind in kinds.items() for line in _lines(case, kind, left[case], right[case])]
    count = list(kinds.values()).count
    totals = f"{count('same')} the same, {count('known')} known differences, {count('DIFFERS')} others"
    return [*lines, f"{len(kinds)} rules: {totals}"]


def _kind(case: str, one: Facts, other: Facts) -> str:
    if one == other:
        return "same"
    known = KNOWN.get(case)
    return "known" if known and known.facts in (one, other) else "DIFFERS"


def _lines(case: str, kind: str, one: Facts, other: Facts) -> Iterator[str]:
    yield f"{kind:8}{case}"
    if kind == "known":
        yield f"        {KNOWN[case].reason}"
    if kind == "DIFFERS":
        for key in sorted({*one, *other}):
            if one.get(key) != other.get(key):
                yield f"    A   {key}: {one.get(key)}"
                yield f"    B   {key}: {other.get(key)}"


def facts(url: str, models: Models) -> dict[str, Facts]:
    """Return what a server gives for every case; an error of the case itself is a fact too."""
    by_case: dict[str, Facts] = {}
    for case in cases():
        try:
            by_case[case.id] = find(url, case, "sync", models)
        except (
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # an answer of another shape than any case expects
            by_case[case.id] = {"no answer to read": repr(error)}
    return by_case


def main(arguments: list[str]) -> int:
    """Run the suite on both servers, print the report, return 1 when they differ otherwise than is known."""
    if len(arguments) not in (2, 4):
        print(USAGE, file=sys.stderr)
        return 2
    models = Models(embedding=arguments[2], chat=arguments[3]) if arguments[2:] else Models()
    try:
        left, right = (facts(url, models) for url in arguments[:2])
    except (ConnectionError, httpx.TransportError) as error:
        print(f"compare-llm: a server does not answer: {error}", file=sys.stderr)
        return 2
    lines = report(left, right)
    print("\n".join(lines))
    return int(any(line.startswith("DIFFERS") for line in lines))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
