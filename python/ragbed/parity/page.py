"""The matrix of a parity run as one web page, without a script and without anything from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbed.parity.records import Cell, Column, ParityReport, Row

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>ragbed parity</title>
<style>
body { font: 15px/1.4 sans-serif; margin: 2em }
table { border-collapse: collapse; margin: 1em 0 }
th, td { border: 1px solid #bbb; padding: .3em .6em; text-align: left; vertical-align: top }
td.differs { background: #fdd }
td.known { background: #ffd }
code { overflow-wrap: anywhere }
</style>
"""


def web_page(report: ParityReport) -> str:
    """Return the page: what was compared, then every case that differs, the unknown ones first."""
    verdict = "every difference is known" if report.ok else f"unknown differences: {len(report.unknown)}"
    rows = sorted(report.rows, key=lambda row: row not in report.unknown)
    names = [column.launcher for column in report.columns if not column.absent]
    heads = "".join(f"<th>{escape(name)}</th>" for name in names)
    cases = ", ".join(f"{escape(name)} {count}" for name, count in report.cases.items())
    left_out = "".join(f"<li>{escape(case)}: {escape(why)}</li>" for case, why in report.left_out.items())
    return "".join(
        [
            _HEAD,
            f"<h1>ragbed parity: {verdict}</h1>\n<p>Cases: {cases}</p>\n",
            "<table><tr><th>launcher</th><th>services</th></tr>\n",
            *map(_column, report.columns),
            "</table>\n",
            f"<table><tr><th>suite</th><th>case</th><th>expected</th>{heads}</tr>\n",
            *(_row(row, names) for row in rows),
            "</table>\n",
            f"<h2>Left out</h2>\n<ul>{left_out}</ul>\n" if left_out else "",
            "</html>\n",
        ]
    )


def _column(column: Column) -> str:
    services = "<br>".join(
        escape(f"{name}: {one.product} {one.version}, {one.origin}") for name, one in column.services.items()
    )
    said = f"not compared: {escape(column.absent)}" if column.absent else services
    return f"<tr><td>{escape(column.launcher)}</td><td>{said}</td></tr>\n"


def _row(row: Row, names: list[str]) -> str:
    cells = "".join(_cell(row.cells[name]) for name in names)
    expected = f"<code>{escape(_json(row.expected))}</code>"
    return f"<tr><td>{escape(row.suite)}</td><td>{escape(row.case)}</td><td>{expected}</td>{cells}</tr>\n"


def _cell(cell: Cell) -> str:
    if cell.status in ("same", "not_run"):
        return f"<td>{cell.status.replace('_', ' ')}</td>"
    reason = f"{escape(cell.reason)}<br>" if cell.reason else ""
    return (
        f'<td class="{cell.status}">{cell.status}, {cell.weight}<br>{reason}'
        f"<code>{escape(_json(cell.facts))}</code></td>"
    )


def _json(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, default=str)
