"""Stores of a stack of real services, each filled with a little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.stack import Stack
from ragbed.stack.record import load_record
from ragbed.state import StateFolder
from ragbed.stores.on_stack import stores_of

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.stores import IsolatedStore
    from ragbed_command import RagbedCommand


@pytest.fixture(scope="module")
def stack(ragbed_up: RagbedCommand) -> Stack:
    """The stack of this module."""
    record = load_record(StateFolder(ragbed_up.state))
    assert record is not None
    return Stack(id=record.stack, endpoints=record.endpoints)


@pytest.fixture
def stores(stack: Stack, ragbed_settings: Settings) -> dict[str, IsolatedStore]:
    """Its stores by service, empty."""
    by_service = {store.service: store for store in stores_of(stack, ragbed_settings)}
    for store in by_service.values():
        store.reset()
    return by_service
