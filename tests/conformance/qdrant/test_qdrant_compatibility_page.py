"""The page is what the suite says."""

from __future__ import annotations

from importlib.metadata import version

from qdrant_conformance.page import PAGE, build


def test_page_is_up_to_date() -> None:
    """`scripts/compatibility-page` writes it anew."""
    assert PAGE.read_text() == build(version("qdrant-client"))
