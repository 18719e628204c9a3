"""Stores that ragbed did not start: refused or passed over until somebody has adopted them."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
import redis as redis_client
from psycopg import sql

from ragbed.errors import ExitCode
from ragbed.stack.registry import kind_of
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed_command import RagbedCommand

VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL", "qdrant": "QDRANT_URL"}
STACK_FILE = Path(__file__).resolve().parents[3] / "stack.toml"


class Foreign:
    """Stores without a marker: another stack's servers, a database and a collection folder of their own each."""

    def __init__(self, urls: dict[str, str]) -> None:
        self._urls = urls

    def postgres(self) -> str:
        """Return a fresh database with one table."""
        name = f"foreign_{secrets.token_hex(4)}"
        with psycopg.connect(self._urls["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        url = self._urls["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE orders AS SELECT 1 AS id")
        return url

    def redis(self) -> str:
        """Return a database of its own with one key."""
        url = self._urls["REDIS_URL"].rpartition("/")[0] + "/7"
        with redis_client.Redis.from_url(url) as client:
            client.flushdb()
            client.set("order:1", "x")
        return url

    def unmark_redis(self, url: str) -> None:
        """Take the marker off the Redis database that the stack itself uses."""
        with redis_client.Redis.from_url(url) as client:
            client.delete("ragbed:marker")

    def qdrant(self) -> str:
        """Return the server without its marker."""
        url = self._urls["QDRANT_URL"]
        kind_of("qdrant").client(url)._ask("DELETE", "/collections/ragbed_marker")  # type: ignore[attr-defined]
        return url


@pytest.fixture
def foreign(ragbed_up: RagbedCommand) -> Foreign:
    """Servers that run, with stores that nobody adopted."""
    return Foreign(ragbed_up.urls())


@pytest.fixture(params=list(VARIABLES))
def unmarked(request: pytest.FixtureRequest, foreign: Foreign) -> tuple[str, str]:
    """A variable and the address of a store without a marker."""
    make: Callable[[], str] = getattr(foreign, request.param)
    return VARIABLES[request.param], make()


def test_an_unmarked_store_given_by_url_is_refused(unmarked: tuple[str, str], ragbed: RagbedCommand) -> None:
    """It exits 13, names the variable and the way to adopt it, and leaves nothing running."""
    variable, url = unmarked

    done = ragbed.run("up", "-d", **{variable: url})

    assert done.returncode == ExitCode.REFUSED, done.stderr
    assert f"which {variable} names, does not carry ragbed's marker" in done.stderr
    assert f'ragbed adopt "${variable}"' in done.stderr
    assert list((ragbed.state / "leases").iterdir()) == []


def test_an_adopted_store_is_used(unmarked: tuple[str, str], ragbed: RagbedCommand) -> None:
    """Adopting shows what is there; the next start attaches to it and says by what."""
    variable, url = unmarked

    adopted = ragbed.run("adopt", url, "--yes")
    assert adopted.returncode == 0, adopted.stderr
    assert {"DATABASE_URL": "orders", "REDIS_URL": "1 keys", "QDRANT_URL": "no collections"}[
        variable
    ] in adopted.stdout
    shown = ragbed.json("up", "-d", **{variable: url})

    (service,) = [one for one in shown["services"] if one["launcher"] == "attach"]
    assert service["origin"] == f"found by {variable}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param("n\n", "is left as it is", id="no"),
        pytest.param("\n", "is left as it is", id="enter"),
        pytest.param("", "there is no terminal to answer on", id="no-terminal"),
    ],
)
def test_adopting_asks_first(answer: str, said: str, foreign: Foreign, ragbed: RagbedCommand) -> None:
    """Without a yes nothing is written; the command says so, names --yes, and exits 2."""
    url = foreign.redis()

    done = ragbed.run("adopt", url, answer=answer)

    assert (done.returncode, said in done.stderr, "--yes" in done.stderr) == (ExitCode.USAGE, True, True)
    assert kind_of("redis").client(url).marker() is None


def test_adopting_takes_a_yes(foreign: Foreign, ragbed: RagbedCommand) -> None:
    """A typed yes writes the marker."""
    url = foreign.redis()

    assert ragbed.run("adopt", url, answer="Yes\n").returncode == 0
    marker = kind_of("redis").client(url).marker()
    assert marker is not None
    assert marker.lets_in(StateFolder(ragbed.state).project())


def test_adopting_twice_says_so(foreign: Foreign, ragbed: RagbedCommand) -> None:
    """A store that carries the marker is left as it is."""
    url = foreign.redis()
    ragbed.run("adopt", url, "--yes")

    assert "carries ragbed's marker already" in ragbed.run("adopt", url).stdout


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        pytest.param("redis://127.0.0.1:{}/0", ExitCode.SERVICE_MISSING, "does not answer", id="nothing"),
        pytest.param("mysql://me:secret@127.0.0.1:{}/x", ExitCode.USAGE, "not a URL of a store", id="scheme"),
        pytest.param("127.0.0.1:{}", ExitCode.USAGE, "not a URL of a store", id="bare"),
        pytest.param("redis://db.example.com:{}/0", ExitCode.REFUSED, "not on this machine", id="elsewhere"),
    ],
)
def test_what_cannot_be_adopted_is_explained(
    url: str, code: ExitCode, said: str, ragbed: RagbedCommand, closed_port: int
) -> None:
    """Exit code and first line say why, without a password."""
    done = ragbed.run("adopt", url.format(closed_port), "--yes")

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "secret" not in done.stderr


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is ours and that nobody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_a_marker_in_another_database_does_not_count(ragbed_up: RagbedCommand, ragbed: RagbedCommand) -> None:
    """?db= leads the official client elsewhere than the path, and so it is there that the marker is looked for."""
    marked = ragbed_up.urls()["REDIS_URL"]

    done = ragbed.run("up", "-d", REDIS_URL=f"{marked}?db=9")

    assert done.returncode == ExitCode.REFUSED, done.stderr


@pytest.fixture
def documented(ragbed_up: RagbedCommand) -> Iterator[dict[str, str]]:
    """The addresses of the stack's stores while these have the passwords that devenv's have: Redis none."""
    urls = ragbed_up.urls()
    own, server = urlsplit(urls["DATABASE_URL"]), urlsplit(urls["REDIS_URL"])
    postgres = own._replace(netloc=f"ragbed:ragbed@127.0.0.1:{own.port}").geturl()
    redis = f"redis://127.0.0.1:{server.port}/0"
    _set_passwords(urls["DATABASE_URL"], urls["REDIS_URL"], postgres="ragbed", redis="")
    yield {**urls, "DATABASE_URL": postgres, "REDIS_URL": redis}
    _set_passwords(postgres, redis, postgres=str(own.password), redis=str(server.password))


def _set_passwords(database_url: str, redis_url: str, *, postgres: str, redis: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE ragbed PASSWORD {}").format(sql.Literal(postgres)))
    with redis_client.Redis.from_url(redis_url) as client:
        client.config_set("requirepass", redis)


@pytest.fixture
def on_default_ports(
    documented: dict[str, str], make_ragbed: Callable[..., RagbedCommand], tmp_path: Path
) -> RagbedCommand:
    """A checkout whose default ports are those of a stack that runs already, with the documented passwords."""
    text = STACK_FILE.read_text(encoding="utf-8")
    ports = {
        "postgres": "DATABASE_URL",
        "redis": "REDIS_URL",
        "qdrant": "QDRANT_URL",
        "ollama": "OLLAMA_HOST",
    }
    for service, variable in ports.items():
        port = documented[variable].rpartition(":")[2].partition("/")[0]
        head, _, tail = text.partition(f"[services.{service}]\nport = ")
        text = f"{head}[services.{service}]\nport = {port}\n{tail.partition(chr(10))[2]}"
    (tmp_path / "stack.toml").write_text(text, encoding="utf-8")
    return make_ragbed(RAGBED_ROOT=str(tmp_path), RAGBED_STACK__DEFAULT_PORTS="true")


@pytest.fixture
def adopted(on_default_ports: RagbedCommand, documented: dict[str, str]) -> RagbedCommand:
    """That checkout, once its project has adopted the stores on its default ports."""
    stores = [url for variable, url in documented.items() if variable != "OLLAMA_HOST"]
    done = on_default_ports.run("adopt", "--yes", *stores)
    assert done.returncode == 0, done.stderr
    return on_default_ports


def test_an_adopted_store_on_its_default_port_is_used_and_said(adopted: RagbedCommand) -> None:
    """What runs already is attached to, and the report says where it was found."""
    shown = adopted.json("up", "-d")

    origins = {one["name"]: one["origin"] for one in shown["services"] if one["launcher"] == "attach"}
    assert set(origins) == {"postgres", "redis", "qdrant"}
    assert all(origin.startswith("found on port ") for origin in origins.values())


def test_a_mock_on_its_default_port_is_passed_over_and_said(adopted: RagbedCommand) -> None:
    """Another project's scripted rules never become this one's answers: it starts a mock of its own."""
    shown = adopted.json("up", "-d")

    (llm,) = [one for one in shown["services"] if one["name"] == "ollama"]
    assert (llm["product"], llm["launcher"]) == ("mock-llm", "process")
    assert any("mock-llm" in note and "is a substitute" in note for note in shown["notes"])


def test_a_store_of_another_project_on_its_default_port_is_passed_over_and_said(
    on_default_ports: RagbedCommand, ragbed_up: RagbedCommand
) -> None:
    """Its marker names that project; private servers are started instead."""
    shown = on_default_ports.json("up", "-d")

    assert {one["launcher"] for one in shown["services"]} == {"process"}
    owner = StateFolder(ragbed_up.state).project()
    named = [note for note in shown["notes"] if f"{owner.name} ({owner.id})" in note]
    assert [note.partition(":")[0] for note in named] == ["postgres", "redis"]
    assert all("passed over" in note for note in named)


def test_an_unmarked_service_on_its_default_port_is_passed_over_and_said(
    on_default_ports: RagbedCommand, foreign: Foreign, documented: dict[str, str]
) -> None:
    """A private server is started instead, and the note says why."""
    foreign.unmark_redis(documented["REDIS_URL"])

    shown = on_default_ports.json("up", "-d")

    (redis,) = [one for one in shown["services"] if one["name"] == "redis"]
    assert redis["launcher"] == "process"
    assert any("does not carry ragbed's marker" in note and "passed over" in note for note in shown["notes"])


def test_an_attached_substitute_stays_a_substitute(adopted: RagbedCommand, ragbed_up: RagbedCommand) -> None:
    """Attaching to an embedded Qdrant or a mock never makes it real."""
    shown = adopted.json("up", "-d", MOCK_LLM_SERVER_URL=ragbed_up.urls()["OLLAMA_HOST"], USE_MOCK_LLM="true")

    found = {one["name"]: (one["product"], one["real"]) for one in shown["services"]}
    assert found["ollama"] == ("mock-llm", False)
    assert found["qdrant"] in {("embedded-qdrant", False), ("qdrant", True)}  # a real one may be on PATH
    assert found["postgres"][1] is found["redis"][1] is True


def test_going_down_leaves_attached_services_alone(
    adopted: RagbedCommand, documented: dict[str, str]
) -> None:
    """What was found running still runs."""
    adopted.run("up", "-d")

    adopted.run("down")

    found = {
        name: kind_of(name).client(documented[variable]).identify() for name, variable in VARIABLES.items()
    }
    assert {name: one.product for name, one in found.items()} == {
        "postgres": "postgres",
        "redis": "valkey",
        "qdrant": "embedded-qdrant",
    }
