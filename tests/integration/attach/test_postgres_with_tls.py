"""A Postgres of others that speaks TLS: Debian's, since the wheel's cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attach_cases import given
from other_postgres import with_tls

from ragbed.errors import ServiceNotReady

if TYPE_CHECKING:
    from collections.abc import Iterator

    from other_postgres import Postgres
    from others import Others

PASSWORD = "password authentication failed for user"


@pytest.fixture(scope="module")
def server(others: Others, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The server; of an older major, so that a client that comes in is told that it is out of range."""
    programs = [place for place in Path("/usr/lib/postgresql").glob("*/bin") if (place / "initdb").exists()]
    if not programs:
        pytest.skip("there is no Postgres with TLS: apt-get install postgresql")
    with with_tls(programs[0], others.certificate, tmp_path_factory.mktemp("tls")) as made:
        yield made


@pytest.mark.parametrize(
    ("who", "options", "seen"),
    [
        (("tls_only",), "?sslmode=disable", "it takes encrypted connections only"),
        (("tls_only", "sesame-of-mine"), "", f'it refuses the password of tls_only ({PASSWORD} "tls_only")'),
        (("owner", "sesame-of-mine"), "", f'it refuses the password of owner ({PASSWORD} "owner")'),
        (("tls_only",), "?sslmode=verify-full", "its TLS certificate is not trusted"),
        (("cert_only",), "", "it asks for a client certificate"),
        (("cert_only",), "?sslmode=require", "it asks for a client certificate"),
    ],
)
def test_what_is_wrong_with_tls_is_told_apart(
    who: tuple[str, ...], options: str, seen: str, server: Postgres, tmp_path: Path
) -> None:
    """Where libpq tries with TLS and without, the first refusal is the cause, and not that of the second try."""
    with pytest.raises(ServiceNotReady) as caught:
        given("postgres", server.url(*who) + options, tmp_path)

    assert caught.value.message.endswith(f"cannot be used: {seen}")
    assert "sesame" not in caught.value.render()


def test_by_tls_it_is_reached(server: Postgres, tmp_path: Path) -> None:
    """A user who may come by TLS alone comes in without an option: the version is what is wrong."""
    with pytest.raises(ServiceNotReady, match=r"is postgres \d+\.\d+ .*: outside postgres >=17,<19"):
        given("postgres", server.url("tls_only"), tmp_path)
