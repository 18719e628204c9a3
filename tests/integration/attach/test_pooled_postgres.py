"""A Postgres behind PgBouncer: one that lends for a transaction is refused, one that lends for a session is used."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attach_cases import given
from other_pooler import pooler

from ragbed.errors import GuardRefused, ServiceNotReady

if TYPE_CHECKING:
    from collections.abc import Iterator

    from others import Others


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the user `nobody` can reach, as which the pooler runs."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "pooler"


def test_a_pooler_that_lends_for_a_transaction_is_refused(
    others: Others, open_folder: Path, tmp_path: Path
) -> None:
    """A lock of a session would be taken on one connection and given back on another."""
    before = others.postgres.census()
    with pooler(others.postgres, "transaction", open_folder) as url, pytest.raises(ServiceNotReady) as caught:
        given("postgres", url, tmp_path)

    assert caught.value.message.endswith(
        "cannot be used: a pooler that lends connections for one transaction stands before it"
    )
    assert caught.value.hint == "name the Postgres behind it in THE_URL, or a pool of pool_mode=session"
    assert others.postgres.census() == before


def test_a_pooler_that_lends_for_a_session_is_as_good_as_the_server(
    others: Others, open_folder: Path, tmp_path: Path
) -> None:
    """It is asked for its marker, like any other."""
    with (
        pooler(others.postgres, "session", open_folder) as url,
        pytest.raises(GuardRefused, match="does not carry ragbed's marker"),
    ):
        given("postgres", url, tmp_path)
