"""How sizes and times are shown: powers of ten, as registries and disks count."""

from __future__ import annotations


def shown_bytes(count: float) -> str:
    """Return a size in words: `4.9 GB`, `46 MB`, `11 kB`, `16 B`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(count) >= size * 0.9995:
            value = count / size
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{count:.0f} B"


def shown_time(seconds: float) -> str:
    """Return a time in words: `8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
