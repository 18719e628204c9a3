"""Services that somebody else started for this checkout, devenv for one: found from any terminal, and said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from ragbed.errors import ExitCode
from ragbed.guard import redacted
from ragbed.stack.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed_command import RagbedCommand

STACK_FILE = Path(__file__).resolve().parents[3] / "stack.toml"
_NAMES = "SELECT schemaname, tablename FROM pg_tables ORDER BY 1, 2"
SERVICES = ["postgres", "redis", "qdrant", "ollama"]


@pytest.fixture
def urls(ragbed_up: RagbedCommand) -> dict[str, str]:
    """Services that run and are not this checkout's: what `devenv up` has started."""
    return ragbed_up.urls()


@pytest.fixture
def checkout(make_ragbed: Callable[..., RagbedCommand], tmp_path: Path) -> RagbedCommand:
    """A checkout that looks around, and on whose default ports nothing runs."""
    text = re.sub(
        r"^port = \d+$",
        lambda _: f"port = {free_port()}",
        STACK_FILE.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    (tmp_path / "stack.toml").write_text(text, encoding="utf-8")
    return make_ragbed(RAGBED_ROOT=str(tmp_path), RAGBED_STACK__DEFAULT_PORTS="true")


@pytest.fixture
def announced(checkout: RagbedCommand, urls: dict[str, str]) -> RagbedCommand:
    """That checkout, once devenv's set-up task has said what it started."""
    done = checkout.run("adopt", *urls.values(), "--yes", "--started-by", "devenv")
    assert done.returncode == 0, done.stderr
    return checkout


def test_a_plain_terminal_finds_what_was_announced(announced: RagbedCommand, urls: dict[str, str]) -> None:
    """No variable, no default port: the checkout knows where devenv's services answer."""
    shown = announced.json("status")

    assert (shown["up"], shown["missing"]) == (True, [])
    assert [(one["name"], one["launcher"], one["started_by"], one["url"]) for one in shown["services"]] == [
        (name, "attach", "devenv", redacted(url)) for name, url in zip(SERVICES, urls.values(), strict=True)
    ]


def test_status_says_who_started_them(announced: RagbedCommand) -> None:
    """In words, a row per service; it exits 0."""
    done = announced.run("status")

    assert done.returncode == 0
    assert done.stdout.count("attached, ") == done.stdout.count("started by devenv") == len(SERVICES)


def test_a_shell_with_the_variables_finds_them_too(announced: RagbedCommand, urls: dict[str, str]) -> None:
    """Given by variable, as in devenv's shell; who started them is still told."""
    shown = announced.json("status", **urls)

    assert [(one["origin"], one["started_by"]) for one in shown["services"]] == [
        (f"found by {variable}", "devenv") for variable in urls
    ]


def test_variables_alone_find_services_of_nobody(checkout: RagbedCommand, urls: dict[str, str]) -> None:
    """Without an announcement they are attached once they are adopted, and nobody is named."""
    checkout.run("adopt", "--yes", *urls.values())

    shown = checkout.json("status", **urls)

    assert shown["up"]
    assert {one["started_by"] for one in shown["services"]} == {""}


def test_the_smoke_test_runs_on_them(announced: RagbedCommand) -> None:
    """It attaches to all four, starts nothing, and its report names devenv."""
    report = announced.json("smoke", "--stage", "parity")

    assert report["ok"], report
    assert {(one["launcher"], one["started_by"]) for one in report["services"]} == {("attach", "devenv")}
    assert list((announced.state / "leases").iterdir()) == []


def test_the_smoke_test_leaves_nothing_in_them(announced: RagbedCommand, urls: dict[str, str]) -> None:
    """They run on after the run: what it wrote there is removed."""
    with psycopg.connect(urls["DATABASE_URL"], autocommit=True) as connection:
        before = connection.execute(_NAMES).fetchall()

        report = announced.json("smoke", "--stage", "migrate")

        assert report["ok"], report
        assert connection.execute(_NAMES).fetchall() == before
    assert "services that run already: " in report["stages"][1]["detail"]


def test_env_gives_their_addresses(announced: RagbedCommand, urls: dict[str, str]) -> None:
    """`eval "$(ragbed env)"` works beside `devenv up`."""
    done = announced.run("env", "--format", "json")

    assert (done.returncode, json.loads(done.stdout)) == (0, urls)


def test_announcing_again_changes_nothing(announced: RagbedCommand, urls: dict[str, str]) -> None:
    """Each start of devenv runs its set-up task again."""
    before = (announced.state / "announced.json").read_text(encoding="utf-8")

    done = announced.run("adopt", *urls.values(), "--yes", "--started-by", "devenv")

    assert done.returncode == 0
    assert done.stdout.count("carries ragbed's marker already") == 3
    assert (announced.state / "announced.json").read_text(encoding="utf-8") == before


def test_an_ollama_is_announced_and_never_marked(checkout: RagbedCommand, urls: dict[str, str]) -> None:
    """Its address is HTTP like Qdrant's; what answers there decides which of them it is."""
    done = checkout.run("adopt", urls["OLLAMA_HOST"], "--started-by", "devenv")

    assert done.returncode == 0, done.stderr
    assert "Nothing is ever written to an Ollama" in done.stdout
    assert [one["name"] for one in checkout.json("status")["services"]] == ["ollama"]


def test_a_part_is_shown_and_the_rest_is_missing(checkout: RagbedCommand, urls: dict[str, str]) -> None:
    """Status and env show what is there, name what is not, and exit 10."""
    checkout.run("adopt", urls["REDIS_URL"], "--yes", "--started-by", "devenv")

    status, env = checkout.run("status"), checkout.run("env")

    assert status.returncode == env.returncode == ExitCode.SERVICE_MISSING
    assert "No postgres and no qdrant and no ollama." in status.stdout
    assert env.stdout.startswith("export REDIS_URL=")


def test_adopting_by_hand_takes_the_word_back(announced: RagbedCommand, urls: dict[str, str]) -> None:
    """Whoever adopts an address later does not know who started what answers there now."""
    announced.run("adopt", urls["REDIS_URL"], "--yes")

    assert "redis" not in {one["name"] for one in announced.json("status")["services"]}


def test_announced_services_that_have_gone_are_not_missed(
    checkout: RagbedCommand, make_ragbed: Callable[..., RagbedCommand]
) -> None:
    """After `devenv down` the checkout starts services of its own, as if nothing had been said."""
    devenv = make_ragbed()
    devenv.run("up", "-d")
    checkout.run("adopt", *devenv.urls().values(), "--yes", "--started-by", "devenv")
    devenv.run("down")

    before = checkout.run("status")
    shown = checkout.json("up", "-d")

    assert (before.returncode, "Nothing is up" in before.stdout) == (ExitCode.SERVICE_MISSING, True)
    assert {one["launcher"] for one in shown["services"]} == {"process"}


def test_production_looks_at_nothing(announced: RagbedCommand, urls: dict[str, str]) -> None:
    """In the tier of production no connection is opened, whatever the variables say."""
    done = announced.run("status", APP_ENV="production", **urls)

    assert (done.returncode, "Nothing is up" in done.stdout) == (ExitCode.SERVICE_MISSING, True)


def test_a_given_store_that_cannot_be_used_is_a_note(checkout: RagbedCommand, urls: dict[str, str]) -> None:
    """Status goes on with the others, and says what is wrong with this one."""
    checkout.run("adopt", "--yes", urls["REDIS_URL"])
    done = checkout.run("status", DATABASE_URL="postgresql://x@127.0.0.1:1/x", REDIS_URL=urls["REDIS_URL"])

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "redis" in done.stdout
    assert "note: postgres does not answer at postgresql://x@127.0.0.1:1/x" in done.stdout
