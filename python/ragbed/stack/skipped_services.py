"""What was looked at and is not used, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something that is not used, and why.

    Attributes:
        service: Its name, to begin the note with; empty where the reason names it.
        reasons: Why not, one per place that was looked at; empty where nothing listens there.
        adoptable: Whether `ragbed adopt` would let this project in.
    """

    service: str
    reasons: tuple[str, ...] = ()
    adoptable: bool = False

    @property
    def note(self) -> str:
        """Return one sentence; empty when nothing listens there."""
        before = f"{self.service}: " if self.service else ""
        return "; ".join(f"{before}{reason}: passed over" for reason in self.reasons)

    def followed_by(self, later: Skipped) -> Skipped:
        """Return what was skipped here and at a place that was looked at later."""
        return Skipped(
            service=(later if later.reasons else self).service,
            reasons=(*self.reasons, *later.reasons),
            adoptable=self.adoptable or later.adoptable,
        )
