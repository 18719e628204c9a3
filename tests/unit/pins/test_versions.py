"""Versions as servers say them, and ranges as the pins write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.pins import satisfies
from ragbed.pins.versions import parse_exact, parse_range, parse_version

RELEASES = st.tuples(*[st.integers(min_value=0, max_value=99)] * 3)


def dotted(release: tuple[int, int, int]) -> str:
    """Return a release as servers write it."""
    return ".".join(str(part) for part in release)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("18.6", "18.6"),
        ("v1.18.2", "1.18.2"),
        ("15.18 (Debian 15.18-0+deb12u1)", "15.18"),
        ("1.20.1-dev", "1.20.1.dev0"),
        ("19devel", "19.dev0"),
        ("18beta1", "18b1"),
        ("18rc1", "18rc1"),
        ("8.0-m02", "8.0"),
        (" 9.1.2\n", "9.1.2"),
    ],
)
def test_a_servers_own_words_give_its_version(said: str, version: str) -> None:
    """Vendors' suffixes, a leading v and development builds are understood."""
    assert str(parse_version(said)) == version


@pytest.mark.parametrize("said", ["", "unknown", "Debian 15", "-1"])
def test_words_without_a_version_have_none(said: str) -> None:
    """What does not start with a version is refused, and is in no range."""
    with pytest.raises(ValueError, match="does not start with a version"):
        parse_version(said)
    assert not satisfies(said, ">=0")


@pytest.mark.parametrize("written", ["18.x", "18.6 (Debian)", "latest", "", ">=18", "18 19"])
def test_a_pinned_version_is_exact(written: str) -> None:
    """A pin says one whole version; what only begins with one is refused."""
    with pytest.raises(ValueError, match="one exact version"):
        parse_exact(written)


@pytest.mark.parametrize("written", ["", "  ", "18", "17 to 19", "^18", ">=18;<19"])
def test_what_is_no_range_is_refused(written: str) -> None:
    """Other tools' forms, and the range that accepts anything, are not ranges."""
    with pytest.raises(ValueError, match="a version range such as"):
        parse_range(written)


@given(version=RELEASES, low=RELEASES, high=RELEASES)
def test_a_range_holds_what_lies_between_its_bounds(
    version: tuple[int, int, int], low: tuple[int, int, int], high: tuple[int, int, int]
) -> None:
    """A release is in `>=low,<high` exactly when numbers say so, in whatever words a vendor adds."""
    said = f"v{dotted(version)} (vendor build)"

    assert satisfies(said, f">={dotted(low)},<{dotted(high)}") is (low <= version < high)


@given(version=RELEASES)
def test_a_development_build_comes_before_its_release(version: tuple[int, int, int]) -> None:
    """A development build is out of the range that starts with its release, and in the one that starts below."""
    development = f"{dotted(version)}-dev"

    assert not satisfies(development, f">={dotted(version)}")
    assert satisfies(development, f">={dotted(version)}.dev0")
