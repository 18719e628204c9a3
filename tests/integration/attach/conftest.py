"""The servers of others, one set for all tests of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from others import Others

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Others]:
    """Return what others run; a server starts when it is first asked for."""
    servers = Others(folder=tmp_path_factory.mktemp("others"))
    with servers.cleanup:
        yield servers
