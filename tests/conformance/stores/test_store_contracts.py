"""Postgres and Redis do what the pipeline relies on, use by use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from ragbed.contracts.stores import POSTGRES, REDIS, StoreCase, observe
from ragbed.stack.record import load_record
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand


@pytest.fixture(scope="module")
def addresses(ragbed_up: RagbedCommand) -> dict[str, str]:
    """Where the stack's services answer."""
    record = load_record(StateFolder(ragbed_up.state))
    assert record is not None
    return {name: endpoint.url for name, endpoint in record.endpoints.items()}


@pytest.mark.parametrize("case", POSTGRES, ids=lambda case: case.rule)
def test_postgres_keeps_the_rule(case: StoreCase, addresses: dict[str, str]) -> None:
    """The facts are those that are expected, and no schema is left."""
    assert observe(case, addresses["postgres"]) == case.expected

    with psycopg.connect(addresses["postgres"]) as connection:
        query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ragbed\\_contract\\_%'"
        assert connection.execute(query).fetchall() == []


@pytest.mark.parametrize("case", REDIS, ids=lambda case: case.rule)
def test_redis_keeps_the_rule(case: StoreCase, addresses: dict[str, str]) -> None:
    """The facts are those that are expected, and no key is left."""
    assert observe(case, addresses["redis"]) == case.expected

    with redis.Redis.from_url(addresses["redis"]) as client:
        assert list(client.scan_iter(match="ragbed_contract_*")) == []


def test_rules_are_unique() -> None:
    """A difference belongs to one case."""
    for cases in (POSTGRES, REDIS):
        rules = [case.rule for case in cases]
        assert sorted(set(rules)) == sorted(rules)
