"""The stages of a smoke run by name, in their order; nothing heavy is imported here, for `--stage` and `--help`."""

from __future__ import annotations

from typing import Final

EVIDENCE: Final[dict[str, tuple[str, ...]]] = {
    "guard": (),
    "stack": (),
    "parity": (),
    "fingerprint": ("ollama",),
    "migrate": ("postgres",),
    "corpus": (),
    "embed": ("ollama", "redis"),
    "index": ("qdrant", "postgres"),
    "retrieve": ("qdrant",),
    "cache": ("redis",),
    "answer": ("ollama",),
    "gaps": ("postgres",),
}
"""Whose log tells most when a stage fails, by stage."""

STAGE_NAMES = tuple(EVIDENCE)
"""Every stage, in order."""
