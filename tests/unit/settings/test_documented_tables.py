"""The documentation's tables are the code's."""

from __future__ import annotations

import pytest
from documented_tables import DOCS, PAGES, TABLES, written


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_a_page_are_those_of_the_code(page: str) -> None:
    """A setting, tier or exit code that changes is changed in the docs too: run documented_tables.py."""
    text = (DOCS / page).read_text(encoding="utf-8")

    assert text == written(text)


def test_every_table_stands_on_a_page() -> None:
    """No table is generated for nobody."""
    pages = "".join((DOCS / page).read_text(encoding="utf-8") for page in PAGES)

    assert [name for name in TABLES if f"<!-- table: {name} -->" not in pages] == []
