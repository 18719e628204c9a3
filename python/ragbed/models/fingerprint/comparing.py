"""Compare what a server gives now with what was recorded. Pure: nothing is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.models.fingerprint.record import short
from ragbed.models.fingerprint.verdict import Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.models.fingerprint.file import FingerprintFile
    from ragbed.models.fingerprint.record import Fingerprint
    from ragbed.models.fingerprint.stored_vector import StoredVector

TOLERANCE = 1e-5
"""Cosine distance that is still the same vector.

Measured: other instruction sets stay thirty times below, weights in eight bits lie twenty times above (docs/models.md).
"""

LENGTH_TOLERANCE = 1e-3
"""Share of the length that is still the same length."""

_NO_CHANGE = "digest, runtime and backend are as recorded"


def compare(seen: Fingerprint, known: FingerprintFile) -> Verdict:
    """Return whether what is seen is what was recorded for the same setup, else for the nearest one.

    Args:
        seen: What the server gives now.
        known: What was recorded.
    """
    recorded = known.exact(seen) or known.nearest(seen)
    if recorded is None:
        return _nothing_recorded(seen, known)
    changes = seen.setup.changes(recorded.setup)
    if seen.purpose == "embedding":
        return _compare_vectors(seen, recorded, changes)
    return _compare_answers(seen, recorded, changes)


def _nothing_recorded(seen: Fingerprint, known: FingerprintFile) -> Verdict:
    setup = seen.setup
    return Verdict(
        kind="unknown",
        model=setup.model,
        line=f"{setup.model}: no fingerprint in {known.path.name} has this name or the digest {short(setup.digest)}",
        seen=seen,
        advisory=seen.purpose == "chat",
    )


def _compare_vectors(seen: Fingerprint, recorded: Fingerprint, changes: tuple[str, ...]) -> Verdict:
    pairs = {name: (mark, recorded.marks.get(name)) for name, mark in seen.marks.items()}
    distances = {name: then.distance(now) if then else None for name, (now, then) in pairs.items()}
    others = [name for name, (now, then) in pairs.items() if _differs(distances[name], now, then)]
    farthest = max((distance for distance in distances.values() if distance is not None), default=None)
    far = "" if farthest is None else f" (cosine distance up to {farthest:.1e}, allowed {TOLERANCE:.0e})"
    return _verdict(
        seen,
        recorded,
        changes,
        differs=bool(others),
        same=f"{len(pairs)} canaries gave the recorded vectors{far}",
        other=f"{len(others)} of {len(pairs)} canaries gave other vectors{far}",
        details=[_vector_line(name, distances[name], *pair) for name, pair in pairs.items()],
        distances=distances,
    )


def _differs(distance: float | None, now: StoredVector, then: StoredVector | None) -> bool:
    if distance is None or then is None:
        return True
    return distance > TOLERANCE or abs(now.length - then.length) > LENGTH_TOLERANCE * then.length


def _vector_line(name: str, distance: float | None, now: StoredVector, then: StoredVector | None) -> str:
    if then is None:
        return f"{name}: not recorded"
    if distance is None:
        return f"{name}: {now.dimensions} dimensions, recorded {then.dimensions}"
    length = "" if now.length == then.length else f", length {now.length:g}, recorded {then.length:g}"
    return f"{name}: cosine distance {distance:.1e}{length}"


def _compare_answers(seen: Fingerprint, recorded: Fingerprint, changes: tuple[str, ...]) -> Verdict:
    pairs = {name: (now, recorded.answers.get(name, "")) for name, now in seen.answers.items()}
    others = [name for name, (now, then) in pairs.items() if now != then]
    return _verdict(
        seen,
        recorded,
        changes,
        differs=bool(others),
        same=f"{len(pairs)} prompts gave the recorded greedy answers",
        other=f"{len(others)} of {len(pairs)} prompts gave other greedy answers, which is advisory",
        details=[_answer_line(name, *pair) for name, pair in pairs.items()],
        distances={},
    )


def _answer_line(name: str, now: str, then: str) -> str:
    if now == then:
        return f"{name}: the same {len(now)} characters"
    first = next((at for at, pair in enumerate(zip(now, then, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(now), len(then)) if first is None else first
    return f"{name}: from character {at + 1} {now[at : at + 30]!r}, recorded {then[at : at + 30]!r}"


def _verdict(
    seen: Fingerprint,
    recorded: Fingerprint,
    changes: tuple[str, ...],
    *,
    differs: bool,
    same: str,
    other: str,
    details: list[str],
    distances: Mapping[str, float | None],
) -> Verdict:
    """Return drift where anything differs; else the setup decides whether it was recorded so or is new."""
    what = "; ".join(changes) or _NO_CHANGE
    kinds: dict[Kind, str] = {
        "drift": f"{other}; {what}",
        "unknown": f"no fingerprint of this setup ({what}); {same}",
        "same": same,
    }
    kind: Kind = "drift" if differs else "unknown" if changes else "same"
    return Verdict(
        kind=kind,
        model=seen.setup.model,
        line=f"{seen.setup.model}: {kinds[kind]}",
        changes=changes,
        details=tuple(details),
        seen=seen,
        recorded=recorded,
        distances=distances,
        advisory=seen.purpose == "chat",
    )
