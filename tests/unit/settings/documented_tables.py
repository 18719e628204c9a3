"""The tables of docs/configuration.md and docs/stack.md, as the code has them.

Run it to write them: `python tests/unit/settings/documented_tables.py`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.costs.section import BUDGET_RUN_USD
from ragbed.errors import ExitCode
from ragbed.settings import TIERS, all_settings, definitions, resolve_settings
from ragbed.stack.section import STACK_LAUNCHER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ("configuration.md", "stack.md")
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MEANINGS = {
    ExitCode.FINE: "fine",
    ExitCode.CHECK_FAILED: "a check failed",
    ExitCode.USAGE: "wrong usage, setting or file",
    ExitCode.SERVICE_MISSING: "a needed service is missing or does not answer",
    ExitCode.DRIFT: "found versions or digests differ from the pins",
    ExitCode.BUDGET: "a paid call would pass the budget",
    ExitCode.REFUSED: "refused by a guard: production, another machine, or a store without the marker",
    ExitCode.NOT_REPRODUCED: "a failure did not come again",
    ExitCode.DIFFERENT_FAILURE: "another failure came instead",
    ExitCode.INTERRUPTED: "interrupted",
}


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _tiers() -> str:
    rows = []
    for name, tier in TIERS.items():
        settings = resolve_settings(environ={"APP_ENV": name}, folder=DOCS)
        paid = f"{settings[BUDGET_RUN_USD]:g} a run" if tier.paid_allowed else "refused"
        rows.append(
            [
                f"`{name}`",
                settings[definitions.LLM_PROVIDER],
                settings[definitions.LLM_MODEL] if tier.paid_allowed or not tier.writes_allowed else "-",
                settings[STACK_LAUNCHER],
                paid,
                "this machine" if tier.hosts == "loopback" else "any",
                "yes" if tier.writes_allowed else "**never**",
            ]
        )
    return _table(["tier", "LLM", "model", "stack", "paid calls, USD", "hosts", "writes"], rows)


def _settings() -> str:
    rows = []
    for setting in all_settings().values():
        variables = ", ".join(f"`{name}`" for name in setting.env) or "-"
        default = f"`{setting.default}`" if setting.default != "" else "-"
        what = f"{setting.described} Secret." if setting.secret else setting.described
        rows.append([f"`{setting.key}`", variables, default, what])
    return _table(["key", "variables of the field", "default", "what it does"], rows)


def _exits() -> str:
    return _table(["code", "meaning"], [[str(int(code)), _MEANINGS[code]] for code in ExitCode])


TABLES = {"tiers": _tiers, "settings": _settings, "exits": _exits}


def written(page: str) -> str:
    """Return a page with its tables as the code has them."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", page)


if __name__ == "__main__":
    for name in PAGES:
        path = DOCS / name
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
