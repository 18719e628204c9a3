"""Progress: bytes, rate and time left."""

from __future__ import annotations

import pytest

from ragbed.cli.progress import describe
from ragbed.models.transfer_progress import Progress, TransferProgress
from ragbed.stack.sizes import shown_bytes, shown_time


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_rate_and_time_left_follow_what_came() -> None:
    """Half of the rest in two seconds leaves two seconds."""
    clock = Clock()
    sent = TransferProgress(1000, clock=clock)
    sent.found(200)
    clock.now += 2
    sent.moved(400)

    progress = sent.progress()

    assert (progress.done_bytes, progress.rate_bytes_s, progress.left_s) == (600, 200.0, 2.0)


def test_what_was_there_before_does_not_make_it_fast() -> None:
    """Only bytes that came count for the rate."""
    clock = Clock()
    sent = TransferProgress(1000, clock=clock)
    sent.found(900)
    clock.now += 1

    assert (sent.progress().rate_bytes_s, sent.progress().left_s) == (0.0, None)


def test_only_the_last_seconds_count() -> None:
    """A fast beginning does not hide that it has become slow."""
    clock = Clock()
    sent = TransferProgress(10_000, clock=clock)
    for count in (5000, *[10] * 10):
        clock.now += 1
        sent.moved(count)

    assert sent.progress().rate_bytes_s == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (16, "16 B"),
        (1000, "1.0 kB"),
        (11_357, "11 kB"),
        (45_960_996, "46 MB"),
        (4_920_753_328, "4.9 GB"),
    ],
)
def test_sizes_are_shown_in_powers_of_ten(count: int, shown: str) -> None:
    """As registries count."""
    assert shown_bytes(count) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(8.4, "8 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_times_are_shown_in_words(seconds: float, shown: str) -> None:
    """As somebody would say it."""
    assert shown_time(seconds) == shown


def test_the_line_of_progress_has_rate_and_time_left() -> None:
    """Bytes, share, rate, time."""
    progress = Progress(done_bytes=250_000_000, total_bytes=1_000_000_000, rate_bytes_s=5e7, left_s=15.0)

    assert describe(progress) == "250 MB of 1.0 GB (25%), 50 MB/s, 15 s left"


def test_the_line_of_progress_is_short_at_the_end() -> None:
    """Nothing is left then."""
    progress = Progress(done_bytes=1_000_000, total_bytes=1_000_000, rate_bytes_s=5e7, left_s=0.0)

    assert describe(progress) == "1.0 MB of 1.0 MB (100%)"
