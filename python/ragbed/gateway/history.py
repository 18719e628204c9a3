"""What was asked of an engine: a view of the journal, as the control API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragbed.gateway.journal import Journal, JournalEntry


def history(journal: Journal) -> dict[str, Any]:
    """Return the last answered calls, and how many there were in all and per model, as JSON values."""
    per_model = journal.answered_per_model()
    return {
        "total": sum(per_model.values()),
        "per_model": per_model,
        "calls": [_shown(entry) for entry in journal.answered()],
    }


def _shown(entry: JournalEntry) -> dict[str, Any]:
    return {
        "operation": entry.call.operation,
        "model": entry.call.model,
        "prompts": entry.prompts,
        "arguments": entry.arguments,
    }
