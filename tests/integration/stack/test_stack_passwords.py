"""Each stack has passwords of its own; only `ragbed env` and the fixtures hand them out."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import psutil
import psycopg
import pytest
import redis as redis_client

from ragbed.pins import load_stack_pins
from ragbed.settings import resolve_settings
from ragbed.stack import running_stack
from ragbed.stack.building import StackBuilder
from ragbed.stack.reaping import end_all
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.stack import Stack
    from ragbed_command import RagbedCommand

SERVICES = ("postgres", "redis")
ODD = "it's a \\ 100%/\"ü@?#:"
COMMANDS = [
    ("status",),
    ("status", "--json"),
    ("up", "-d"),
    ("up", "-d", "--json"),
    ("logs",),
    ("doctor",),
    ("doctor", "--json"),
    ("config", "explain"),
    ("smoke", "--stage", "migrate", "--json"),
]


@pytest.fixture(scope="module")
def secrets(ragbed_up: RagbedCommand) -> set[str]:
    """The passwords of the stack that is up."""
    urls = ragbed_up.urls()
    found = {urlsplit(urls[name]).password or "" for name in ("DATABASE_URL", "REDIS_URL")}
    assert all(len(one) >= 32 for one in found)
    assert len(found) == 2
    return found


def settings(folder: StateFolder, **environ: str) -> Settings:
    """Resolve settings that look for nothing on default ports."""
    return resolve_settings(folder=folder.root, environ={"RAGBED_STACK__DEFAULT_PORTS": "false", **environ})


def given(stack: Stack) -> dict[str, str]:
    """Return the password of each service, proven by its real client."""
    urls = {service: stack[service].url for service in SERVICES}
    with psycopg.connect(urls["postgres"]) as connection:
        connection.execute("SELECT 1")
    with redis_client.Redis.from_url(urls["redis"]) as client:
        client.ping()
    return {service: unquote(urlsplit(url).password or "") for service, url in urls.items()}


@pytest.fixture
def folder(ragbed: RagbedCommand) -> StateFolder:
    """A state folder with warm caches."""
    return StateFolder(ragbed.state).prepared()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_but_env_shows_a_password(
    words: tuple[str, ...], ragbed_up: RagbedCommand, secrets: set[str]
) -> None:
    """Neither on stdout nor on stderr, though no setting of theirs holds it."""
    done = ragbed_up.run(*words)

    assert not [one for one in secrets if one in done.stdout + done.stderr]


def test_no_process_shows_a_password_in_its_arguments(secrets: set[str]) -> None:
    """Every user of the machine can read them."""
    arguments = "\n".join(" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"]))

    assert not [one for one in secrets if one in arguments]


def test_files_with_a_password_are_the_owners_alone(ragbed_up: RagbedCommand, secrets: set[str]) -> None:
    """Of the state folder, after a run: no report and no log has one, and what has one is of mode 0600."""
    assert ragbed_up.run("smoke", "--stage", "migrate").returncode == 0

    holding = {
        path.relative_to(ragbed_up.state): stat.S_IMODE(path.stat().st_mode)
        for path in ragbed_up.state.rglob("*")
        if path.is_file() and any(one.encode() in path.read_bytes() for one in secrets)
    }

    assert {path.name for path in holding} == {"stack.json", "ragbed_password", "ragbed.conf"}
    assert set(holding.values()) == {0o600}
    assert stat.S_IMODE(ragbed_up.state.stat().st_mode) == 0o700


@pytest.mark.parametrize("user", ["ragbed:ragbed@", "ragbed:@", "ragbed@", "postgres@"])
def test_the_documented_password_opens_no_stack_of_ours(user: str, ragbed_up: RagbedCommand) -> None:
    """Every other user of the machine knows it."""
    place = ragbed_up.urls()["DATABASE_URL"].partition("@")[2]

    with pytest.raises(psycopg.OperationalError, match=r"authentication failed|no password"):
        psycopg.connect(f"postgresql://{user}{place}")


def test_redis_asks_for_a_password(ragbed_up: RagbedCommand) -> None:
    """Nothing is answered without it."""
    place = ragbed_up.urls()["REDIS_URL"].partition("@")[2]

    with (
        redis_client.Redis.from_url(f"redis://{place}") as client,
        pytest.raises(redis_client.AuthenticationError),
    ):
        client.ping()


def test_two_stacks_have_different_passwords(folder: StateFolder) -> None:
    """Though one template made both."""
    made = []
    for _ in range(2):
        with running_stack(settings(folder), folder=folder, services=SERVICES) as stack:
            made.append(given(stack))

    assert len({*made[0].values(), *made[1].values()}) == 4


def test_the_settings_fix_a_password(folder: StateFolder) -> None:
    """Any text is one: quotes, percent, at sign, backslash, letters beyond ASCII."""
    fixed = settings(folder, RAGBED_STACK__POSTGRES_PASSWORD=ODD, RAGBED_STACK__REDIS_PASSWORD=ODD)

    with running_stack(fixed, folder=folder, services=SERVICES) as stack:
        assert given(stack) == dict.fromkeys(SERVICES, ODD)


def test_kept_data_keeps_its_password_until_the_settings_change_it(folder: StateFolder) -> None:
    """Random at first, the same after a restart, then the fixed one, which stays."""
    fixed = {"RAGBED_STACK__POSTGRES_PASSWORD": "sesame-1", "RAGBED_STACK__REDIS_PASSWORD": "sesame-2"}

    seen = [kept(folder, **environ) for environ in ({}, {}, fixed, {})]

    assert seen[0] == seen[1]
    assert seen[2] == seen[3] == {"postgres": "sesame-1", "redis": "sesame-2"}


def test_kept_data_without_a_note_gets_a_new_password(folder: StateFolder) -> None:
    """What an earlier version kept has the documented one, and a command may be killed between note and change."""
    before = kept(folder)
    (folder.kept / "postgres" / "ragbed_password").unlink()

    assert kept(folder)["postgres"] != before["postgres"]


def kept(folder: StateFolder, **environ: str) -> dict[str, str]:
    """Start a stack on the kept data, stop it, and return its passwords."""
    resolved = settings(folder, **environ)
    builder = StackBuilder(resolved, folder, load_stack_pins(), caller="command", keep=True)
    stack = builder.build(SERVICES)
    try:
        return given(stack)
    finally:
        end_all(folder, list(stack.leases.values()))
