"""The cores that a model may compute on, beside the rest of a stack."""

from __future__ import annotations

import os

import psutil


def threads_beside_others() -> int:
    """Return how many threads a model gets on a machine that it shares: one core stays free.

    Ollama's threads spin while they wait for each other. With another process on the cores, two of them took a thousand
    times as long as one.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = min(psutil.cpu_count(logical=False) or usable, usable)
    return max(1, cores - 1)
