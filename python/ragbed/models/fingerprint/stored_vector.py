"""One vector as a fingerprint keeps it: its length, and its direction in half precision, on one line of text."""

from __future__ import annotations

import base64
import math
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORM = re.compile(r"length (\S+), begins .+, halves (\S+)")
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class StoredVector:
    """Length and direction of a vector, rounded as they are stored.

    Half precision moves a vector by a cosine distance of 3e-8 and takes two bytes a number; eight bits would move it
    by 1e-4, more than the tolerance.

    Attributes:
        length: Four significant digits.
        direction: The vector scaled to length 1; zeros for a vector of zeros.
    """

    length: float
    direction: tuple[float, ...]

    @classmethod
    def of(cls, vector: Sequence[float]) -> StoredVector:
        """Return the mark of a vector of finite numbers."""
        length = math.hypot(*vector)
        return cls(length=float(f"{length:.4g}"), direction=_unpack(_pack(_unit(vector))))

    @property
    def dimensions(self) -> int:
        """How many numbers the vector has."""
        return len(self.direction)

    def distance(self, other: StoredVector) -> float | None:
        """Return the cosine distance, 0 for one direction and 2 for opposite ones; None for other dimensions.

        Source: for unit vectors 1 - cos is half the squared distance, which loses no digits where they are close.
        """
        if self.dimensions != other.dimensions:
            return None
        return math.dist(_unit(self.direction), _unit(other.direction)) ** 2 / 2

    def encode(self) -> str:
        """Return it as one line; the first numbers are there to be compared by eye with what a server answers."""
        begins = " ".join(f"{self.length * number:.4f}" for number in self.direction[:_SHOWN])
        halves = base64.b64encode(_pack(self.direction)).decode()
        return f"length {self.length:g}, begins {begins}, halves {halves}"

    @classmethod
    def decode(cls, line: str) -> StoredVector:
        """Return the mark that `encode` wrote.

        Raises:
            ValueError: It is another line than `encode` writes.
        """
        mark = _parsed(line)
        if mark is None or not math.isfinite(sum(mark.direction) * mark.length) or mark.encode() != line:
            raise ValueError("a line such as 'length 1, begins -0.0345 0.0309 0.0067 0.0261, halves …'")
        return mark


def _parsed(line: str) -> StoredVector | None:
    match = _FORM.fullmatch(line)
    try:
        direction = _unpack(base64.b64decode(match[2], validate=True)) if match else ()
        return StoredVector(length=float(match[1]), direction=direction) if match and direction else None
    except (ValueError, struct.error):
        return None


def _unit(numbers: Sequence[float]) -> list[float]:
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]


def _pack(numbers: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(numbers)}e", *numbers)


def _unpack(packed: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(packed) // 2}e", packed)
