"""A service that was found and has gone is replaced; one that a user named never is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ragbed.guard import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed_command import RagbedCommand


def announced_redis(make_ragbed: Callable[..., RagbedCommand]) -> tuple[RagbedCommand, RagbedCommand, str]:
    """Return a checkout whose Redis is announced, the checkout that started it, and its address."""
    other, checkout = make_ragbed(), make_ragbed()
    assert other.run("up", "-d").returncode == 0
    url = other.urls()["REDIS_URL"]
    assert checkout.run("adopt", "--yes", "--started-by", "a colleague", url).returncode == 0
    return checkout, other, url


def test_what_was_found_and_has_gone_is_replaced(make_ragbed: Callable[..., RagbedCommand]) -> None:
    """`up -d` starts a private Redis in place of the colleague's that ended, and says so."""
    checkout, other, url = announced_redis(make_ragbed)
    ports = {"RAGBED_STACK__DEFAULT_PORTS": "true"}
    assert checkout.run("up", "-d", **ports).returncode == 0
    before = {one["name"]: one["launcher"] for one in checkout.json("status")["services"]}
    other.run("down")

    again = checkout.run("up", "-d", **ports)

    after = {one["name"]: one for one in json.loads(checkout.run("status", "--json").stdout)["services"]}
    assert (before["redis"], after["redis"]["launcher"], after["redis"]["state"]) == (
        "attach",
        "process",
        "ready",
    )
    assert after["redis"]["url"] != url
    assert (again.returncode, f"redis: what was found at {redacted(url)} has gone" in again.stderr) == (
        0,
        True,
    )


def test_what_was_given_and_has_gone_is_not_replaced(make_ragbed: Callable[..., RagbedCommand]) -> None:
    """A user who names an address means that server: 10, and the way out."""
    checkout, other, url = announced_redis(make_ragbed)
    assert checkout.run("up", "-d", REDIS_URL=url).returncode == 0
    other.run("down")

    again = checkout.run("up", "-d", REDIS_URL=url)

    assert again.returncode == 10
    assert "redis cannot be used" in again.stderr
