"""The page is what the suite says."""

from __future__ import annotations

from llm_conformance.page import PAGE, build


def test_page_of_the_mock_is_up_to_date() -> None:
    """`scripts/compatibility-page-llm` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == build()
