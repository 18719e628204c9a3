"""The page on what the mock does as a real Ollama, made from the suite: `scripts/compatibility-page-llm`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.contracts.llm.case import OLLAMA
from ragbed.contracts.llm.differences import KNOWN
from ragbed.contracts.llm.suite import LEFT_OUT, cases

if TYPE_CHECKING:
    from ragbed.contracts.llm.case import Case

PAGE = Path(__file__).parents[4] / "docs" / "mock-llm-compatibility.md"

HEAD = """# What the mock LLM does as a real Ollama, and what not

```sh
RAGBED_MODELS_LOCK=tests/tiny_models/models.lock.json ragbed llm serve --port 11435
scripts/compare-llm http://127.0.0.1:11435 http://127.0.0.1:11434
```

compares two servers rule by rule, the mock and a real one for example, and ends in a line like
`{cases} rules: {same} the same, {differ} known differences, 0 others`. Both must have the two models that
`scripts/tiny-models` makes, or the ones that are named after the addresses.

This page is made from the same suite, `ragbed.contracts.llm`, by `scripts/compatibility-page-llm`. It has {cases}
rules about shapes and effects, never about a model's words. Each is asked by the official client `ollama`, sync and
async; what the client would not send goes by plain HTTP. What is expected is what a real Ollama {ollama} gives, and the
tests ask one again wherever there is one: see `scripts/test-ollama`.

## Known differences

{known}

None of them is in what ragbed's pipeline uses.

## Trouble that a real server has and the mock has not

Leaving a stream early can wedge its model on a real Ollama {ollama}: every later call to it waits, until the model is
unloaded by `keep_alive: 0` without a prompt, or by other options that load it anew. The answer seems to wait for
somebody to read it, so the faster a model writes, the likelier this is: 3 of 200 streams left, with one of 134,000
parameters, and 3 of 60 with one of 120,000. The suite leaves streams and then unloads.

## Web pages

Both refuse foreign web pages with 403 and let pages of this machine call them; not asked by the suite, read in the source of Ollama,
`server/routes.go` and `envconfig/config.go`. What differs:

| what | mock | real Ollama |
|---|---|---|
| `Host` | loopback names and addresses, and those of `RAGBED_SERVE__ALLOWED_NAMES` | also private and local addresses, 0.0.0.0, the machine's name, and names in `.local` and `.internal` |
| `Origin` | pages of such a host, by http and https | also `0.0.0.0`, `app:`, `file:`, `tauri:`, `vscode-webview:` and browser extensions, and those of `OLLAMA_ORIGINS` |
| `Sec-Fetch-Site: cross-site` without `Origin` | 403 | not looked at |
| a page's body without a JSON content type | 415 | taken |
| body of a refusal | `{{"error": …}}` | empty |

## Left out

Methods of the client: {left_out}.

Of `generate`, what is for models that make pictures: `width`, `height`, `steps`. Whatever is below `/v1/`.

## Bodies

The types of Ollama's own Go package decide which bodies are taken. `scripts/soak-llm` judges 10,000 generated ones by a
program in Go that reads them into these types, and compares the words of every refusal: none differs. With a JSON schema
as `format`, 300 generated schemas are answered by values that `jsonschema` validates; a real server follows fewer
keywords, and drops what its grammars cannot say. Where no value was found, or a schema asks for more than 10,000 items,
100,000 characters or some seconds of work, the mock answers 500, `invalid JSON schema in format: …` with the reason.

A model that `ragbed.toml` declares without vision refuses pictures in the words of a vision model that lacks its
projector; a real server passes pictures over, for most models that cannot see.

## The rules

`mock` says whether the mock gives what a real Ollama gives.
"""  # noqa: E501  # rows of a table


def build() -> str:
    """Return the page."""
    everything = cases()
    differ = sum(case.id in KNOWN for case in everything)
    head = HEAD.format(
        cases=len(everything),
        same=len(everything) - differ,
        differ=differ,
        ollama=OLLAMA,
        known="\n".join(f"- **{case}**: {known.reason}." for case, known in KNOWN.items()),
        left_out="; ".join(f"{', '.join(f'`{one}`' for one in group)} ({why})" for why, group in _left_out()),
    )
    tables = [_table(area, list(group)) for area, group in groupby(everything, key=lambda case: case.area)]
    return head + "".join(tables)


def _left_out() -> list[tuple[str, list[str]]]:
    """Return the methods that have no case by the reason."""
    return [
        (why, [one for one in LEFT_OUT if LEFT_OUT[one] == why]) for why in dict.fromkeys(LEFT_OUT.values())
    ]


def _table(area: str, found: list[Case]) -> str:
    rows = [f"| {case.rule} | {'differs' if case.id in KNOWN else 'same'} |" for case in found]
    return "\n".join([f"\n### {area.capitalize()}\n", "| rule | mock |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(build(), encoding="utf-8")
