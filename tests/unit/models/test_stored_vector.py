"""A vector as a fingerprint keeps it: its distance, and its line of text."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.models.fingerprint import TOLERANCE, StoredVector

NUMBERS = st.floats(min_value=-1e6, max_value=1e6, width=32)
VECTORS = st.lists(NUMBERS, min_size=1, max_size=8)


def vector_of(seed: int) -> list[float]:
    """Return what looks like an embedding of 64 dimensions, not of length 1."""
    numbers = random.Random(seed)  # noqa: S311 - reproducible, not secret
    return [numbers.gauss() for _ in range(64)]


REAL = st.integers(0, 10**6).map(vector_of)


def cosine_distance(one: list[float], other: list[float]) -> float:
    """Return it by the book, in full precision."""
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return 1 - product / (math.hypot(*one) * math.hypot(*other))


@given(vector=VECTORS)
def test_a_mark_survives_its_line(vector: list[float]) -> None:
    """What is written is read again, exactly."""
    mark = StoredVector.of(vector)

    assert StoredVector.decode(mark.encode()) == mark


@given(one=REAL, other=REAL)
def test_the_distance_is_the_cosine_distance(one: list[float], other: list[float]) -> None:
    """Half precision costs less than a tenth of the tolerance, beside a thousandth of the distance."""
    expected = cosine_distance(one, other)

    assert StoredVector.of(one).distance(StoredVector.of(other)) == pytest.approx(
        expected, rel=1e-3, abs=TOLERANCE / 10
    )


@given(vector=VECTORS)
def test_a_vector_is_at_no_distance_from_itself(vector: list[float]) -> None:
    """Not even by rounding."""
    assert StoredVector.of(vector).distance(StoredVector.of(vector)) == 0


@given(one=REAL, other=REAL)
def test_the_distance_has_no_direction(one: list[float], other: list[float]) -> None:
    """From here to there is as far as back."""
    assert StoredVector.of(one).distance(StoredVector.of(other)) == StoredVector.of(other).distance(
        StoredVector.of(one)
    )


@given(vector=REAL, factor=st.sampled_from([0.25, 0.5, 2.0, 16.0]))
def test_scaling_changes_the_length_alone(vector: list[float], factor: float) -> None:
    """The direction stays; the length tells."""
    scaled = StoredVector.of([factor * number for number in vector])

    assert scaled.distance(StoredVector.of(vector)) == pytest.approx(0, abs=TOLERANCE / 100)
    assert scaled.length == pytest.approx(factor * StoredVector.of(vector).length, rel=1e-3)


def test_other_dimensions_have_no_distance() -> None:
    """384 numbers cannot be compared with 768."""
    assert StoredVector.of([1.0, 0.0]).distance(StoredVector.of([1.0, 0.0, 0.0])) is None


def test_a_line_shows_the_first_numbers() -> None:
    """They are the vector's own, to be compared by eye with what a server answers."""
    line = StoredVector.of([1.0, -1.0, 1.0, -1.0]).encode()

    assert line.startswith("length 2, begins 1.0000 -1.0000 1.0000 -1.0000, halves ")


GOOD = StoredVector.of([1.0, -1.0, 1.0, -1.0]).encode()


@pytest.mark.parametrize(
    "line",
    [
        "",
        GOOD[:-4],
        GOOD.replace("halves ", "halves !"),
        GOOD.removesuffix("=") + "A",
        GOOD.replace("1.0000", "1.0001", 1),
        GOOD.replace("length 2", "length two"),
        GOOD.replace("length 2", "length nan"),
        "length 1, begins inf, halves AHw=",
        "length 1, begins , halves ",
    ],
    ids=[
        "empty",
        "cut",
        "no base64",
        "other bits",
        "another beginning",
        "words",
        "nan",
        "infinite",
        "nothing",
    ],
)
def test_another_line_than_was_written_is_refused(line: str) -> None:
    """What was cut, merged or edited is not a vector."""
    with pytest.raises(ValueError, match="a line such as"):
        StoredVector.decode(line)
