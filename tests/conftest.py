"""What every test gets: an environment that says nothing, so that a developer's own settings change no outcome."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ragbed.settings import all_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIER = ("APP_ENV", "RAGBED_ROOT")
_POSTGRES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE")


@pytest.fixture(scope="session", autouse=True)
def silent_environment() -> Iterator[None]:
    """Take away whatever ragbed would listen to; the state folder of the run stays."""
    spoken = {name for setting in all_settings().values() for name in setting.env}
    spoken |= {f"{name}_FILE" for name in spoken}
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            own = name.startswith("RAGBED_") and "__" in name
            if own or name in {*spoken, *_TIER, *_POSTGRES} or name.startswith("FEATURE_"):
                patch.delenv(name)
        yield
