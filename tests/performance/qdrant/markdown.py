"""Figures as Markdown."""

from __future__ import annotations


def table(rows: dict[str, dict[str, float]], *, corner: str = "") -> str:
    """Return figures as a Markdown table: a column per row given, a line per figure."""
    names = list(rows)
    lines = [f"| {corner} | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for figure in rows[names[0]]:
        shown = (
            f"{rows[name][figure]:,.4g}" if rows[name][figure] < 1e4 else f"{rows[name][figure]:,.0f}"
            for name in names
        )
        lines.append(f"| {figure} | {' | '.join(shown)} |")
    return "\n".join(lines)
