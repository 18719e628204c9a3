"""The first refusal of production: by tier and by names alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import ConfigurationError, GuardRefused
from ragbed.guard import check_url, refuse_writes
from ragbed.settings import resolve_settings

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.settings import Settings

BAD = (
    "prod",
    "production",
    "live",
    "prd",
    "PROD",
    "app-prod",
    "prod_db",
    "rag.prod.eu",
    "eu1prod2",
)
GOOD = (
    "product",
    "products",
    "livestock",
    "delivery",
    "olive",
    "reproduce",
    "aprdx",
    "staging",
    "ragbed",
    "",
)
ADDRESSES = {
    "host": "postgresql://me@{}.example.com/db",
    "user": "redis://{}:secret@127.0.0.1/0",
    "database": "postgresql://me@127.0.0.1/{}",
    "query-host": "postgresql:///db?host={}.example.com",
    "query-user": "postgresql:///db?user={}",
    "query-database": "postgresql:///?dbname={}",
    "path": "http://127.0.0.1:6333/{}",
}


def settings(folder: Path, **environ: str) -> Settings:
    """Resolve settings from these variables alone."""
    return resolve_settings(folder=folder, environ=environ)


@pytest.mark.parametrize("name", ["myProd", "liveOrders"])
@pytest.mark.parametrize("address", [ADDRESSES["database"], ADDRESSES["user"]], ids=["database", "user"])
def test_a_capital_begins_a_word(address: str, name: str, tmp_path: Path) -> None:
    """Databases and users keep their case, so that myProd is two words."""
    with pytest.raises(GuardRefused, match="is named like production"):
        check_url(settings(tmp_path), address.format(name), named="DATABASE_URL")


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("address", ADDRESSES.values(), ids=list(ADDRESSES))
def test_a_name_of_production_is_refused_wherever_it_stands(address: str, name: str, tmp_path: Path) -> None:
    """Host, user and database are judged, in the URL and in its query."""
    with pytest.raises(GuardRefused, match="is named like production"):
        check_url(settings(tmp_path), address.format(name), named="DATABASE_URL")


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("address", ADDRESSES.values(), ids=list(ADDRESSES))
def test_a_name_that_only_resembles_production_passes(address: str, name: str, tmp_path: Path) -> None:
    """Words that contain the words of production are no production."""
    staging = settings(tmp_path, APP_ENV="staging")  # where names alone decide

    check_url(staging, address.format(name).replace("//.", "//"), named="DATABASE_URL")


def test_an_encoded_name_is_read_as_the_client_will(tmp_path: Path) -> None:
    """Percent signs hide no name."""
    with pytest.raises(GuardRefused, match="the user 'prod'"):
        check_url(settings(tmp_path), "postgresql://pr%6Fd@127.0.0.1/db", named="DATABASE_URL")


@pytest.mark.parametrize("tier", ["local", "ci", "ci_eval", "staging", "staging_eval"])
def test_names_of_production_are_refused_in_every_tier(tier: str, tmp_path: Path) -> None:
    """A tier that may reach other hosts may not reach production either."""
    environ = {"APP_ENV": tier, "DATABASE_URL": "postgresql://db.prod.example.com/app"}

    with pytest.raises(GuardRefused, match=r"DATABASE_URL is refused: the host 'db.prod.example.com'"):
        refuse_writes(settings(tmp_path, **environ), command="ragbed up")


@pytest.mark.parametrize("tier", ["local", "ci", "ci_eval"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db.example.com/app",
        "postgresql://10.0.0.5/app",
        "postgresql:///app?host=db.example.com",
        "postgresql://127.0.0.1/app?hostaddr=10.0.0.5",
        "postgresql://127.0.0.1,db.example.com/app",
        "redis://cache.example.com:6379/0",
    ],
)
def test_local_and_ci_tiers_stay_on_this_machine(tier: str, url: str, tmp_path: Path) -> None:
    """Any other host is refused, in whatever part of the URL it stands."""
    with pytest.raises(GuardRefused, match=f"tier {tier} stays on it"):
        check_url(settings(tmp_path, APP_ENV=tier), url, named="DATABASE_URL")


@pytest.mark.parametrize("tier", ["staging", "staging_eval"])
def test_staging_may_reach_other_hosts(tier: str, tmp_path: Path) -> None:
    """Staging's stores are elsewhere."""
    check_url(settings(tmp_path, APP_ENV=tier), "postgresql://db.example.com/app", named="DATABASE_URL")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.8.9.1",
        "[::1]",
        "0.0.0.0",  # noqa: S104 - an address to ask, not to bind
        "LOCALHOST",
        "%2Fvar%2Frun%2Fpostgresql",
        "",
    ],
)
def test_this_machine_has_many_names(host: str, tmp_path: Path) -> None:
    """Loopback addresses, localhost, sockets in a folder, and no host at all mean this machine."""
    check_url(settings(tmp_path), f"postgresql://{host}/app", named="DATABASE_URL")


def test_a_host_allowed_by_name_passes(tmp_path: Path) -> None:
    """RAGBED_GUARD__ALLOWED_HOSTS opens exactly the hosts that it lists, in any case."""
    allowing = settings(tmp_path, RAGBED_GUARD__ALLOWED_HOSTS="Build-Box, cache")

    check_url(allowing, "redis://build-box:6379/0", named="REDIS_URL")
    with pytest.raises(GuardRefused, match="'other'"):
        check_url(allowing, "redis://other:6379/0", named="REDIS_URL")


def test_an_allowed_host_is_still_no_production(tmp_path: Path) -> None:
    """There is no override for names of production."""
    with pytest.raises(GuardRefused, match="named like production"):
        check_url(
            settings(tmp_path, RAGBED_GUARD__ALLOWED_HOSTS="prod"), "redis://prod:1/0", named="REDIS_URL"
        )


@pytest.mark.parametrize(
    ("variable", "address"),
    [("PGHOSTADDR", "10.0.0.5"), ("PGHOSTADDR", "2001:db8::5")],
    ids=["v4", "v6"],
)
def test_libpqs_own_address_is_judged(
    variable: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGHOSTADDR leads a client elsewhere whatever the URL says, and so is judged too."""
    monkeypatch.setenv(variable, address)

    with pytest.raises(GuardRefused, match=f"{variable} is refused"):
        refuse_writes(settings(tmp_path), command="ragbed up")


def test_libpqs_host_fills_in_a_url_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PGHOST counts where the URL leaves the host open, and only there."""
    monkeypatch.setenv("PGHOST", "db.example.com")

    check_url(settings(tmp_path), "postgresql://127.0.0.1/app", named="DATABASE_URL")
    with pytest.raises(GuardRefused, match=r"'db.example.com' is not on this machine"):
        check_url(settings(tmp_path), "postgresql:///app", named="DATABASE_URL")


@pytest.mark.parametrize(
    "variable",
    [
        *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "QDRANT_API_KEY", "SECRET_KEY"),
        *("STAGING_OPENAI_KEY", "STAGING_ANTHROPIC_KEY"),
    ],
)
def test_a_production_key_is_refused_and_not_shown(variable: str, tmp_path: Path) -> None:
    """A key named like production is refused by its variable's name."""
    with pytest.raises(GuardRefused, match=f"the key in {variable} is a production key") as caught:
        refuse_writes(settings(tmp_path, **{variable: "sk_live_4711"}), command="ragbed up")

    assert "4711" not in caught.value.render()


@pytest.mark.parametrize("key", ["test-key", "sk-proj-abc", "sk-delivery", ""])
def test_other_keys_pass(key: str, tmp_path: Path) -> None:
    """A key without a word of production is not a reason to refuse."""
    refuse_writes(settings(tmp_path, OPENAI_API_KEY=key), command="ragbed up")


@pytest.mark.parametrize(
    ("environ", "refused"),
    [
        pytest.param(
            {"STAGING_DATABASE_URL": "postgresql://db.staging.example.com/app"}, False, id="staging"
        ),
        pytest.param({"STAGING_DATABASE_URL": "postgresql://db.example.com/prod"}, True, id="production"),
        pytest.param({"STAGING_URL": "https://live.example.com"}, True, id="live"),
        pytest.param({"TEST_ENV": "staging"}, False, id="environment-staging"),
        pytest.param({"TEST_ENV": "production"}, True, id="environment-production"),
    ],
)
def test_stagings_variables_may_be_set_unless_they_mean_production(
    environ: dict[str, str], refused: bool, tmp_path: Path
) -> None:
    """A shell may carry staging's addresses in any tier; production under staging's name is refused."""
    if refused:
        with pytest.raises(GuardRefused):
            refuse_writes(settings(tmp_path, **environ), command="ragbed up")
    else:
        refuse_writes(settings(tmp_path, **environ), command="ragbed up")


def test_the_tier_production_refuses_every_write(tmp_path: Path) -> None:
    """APP_ENV=production alone is enough, and the message names what still works."""
    with pytest.raises(GuardRefused, match="ragbed reset is refused: APP_ENV is production") as caught:
        refuse_writes(settings(tmp_path, APP_ENV="production"), command="ragbed reset")

    assert "status, pins, config explain, logs, env" in caught.value.details[0]


@pytest.mark.parametrize("tier", ["local", "staging"])
@pytest.mark.parametrize("url", ["postgresql:///?service=other", "postgresql://127.0.0.1/app?service=other"])
def test_a_service_file_is_refused(url: str, tier: str, tmp_path: Path) -> None:
    """An entry of a service file may bring another address, even beside a host that the URL names."""
    with pytest.raises(GuardRefused, match="the service 'other' of a service file"):
        check_url(settings(tmp_path, APP_ENV=tier), url, named="DATABASE_URL")


def test_a_service_named_like_production_is_refused_as_such(tmp_path: Path) -> None:
    """The name of a service counts as a database's."""
    with pytest.raises(GuardRefused, match="the database 'prod' is named like production"):
        check_url(settings(tmp_path), "postgresql:///?service=prod", named="DATABASE_URL")


def test_libpqs_own_service_is_refused_unless_the_postgres_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGSERVICE leads a client elsewhere; connections to a private Postgres do not see it."""
    monkeypatch.setenv("PGSERVICE", "other")
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.9")

    refuse_writes(settings(tmp_path), command="ragbed up")
    check_url(settings(tmp_path), "postgresql://ragbed:ragbed@127.0.0.1:7/ragbed", named="DATABASE_URL")
    check_url(settings(tmp_path), "redis://127.0.0.1:7/0", named="REDIS_URL")
    with pytest.raises(GuardRefused, match="the service 'other'"):
        check_url(settings(tmp_path), "postgresql://me@127.0.0.1/app", named="DATABASE_URL")


@pytest.mark.parametrize(
    "url",
    [
        "host=127.0.0.1 port=1 password=sekret",
        "password=sekret",
        "postgresql://u:sekret/x@127.0.0.1/db",
        "postgresql://u:1/sekret@127.0.0.1/db",
        "postgresql://u:sekret#x@127.0.0.1/db",
        "redis://:1?sekret@127.0.0.1/0",
        "postgresql://app:first@sekret@127.0.0.1:9/db",
        "postgresql://app:a@sekret@c@127.0.0.1:9/db",
        "'postgresql://app:sekret@127.0.0.1:9/db'",
        '"postgresql://app:sekret@127.0.0.1:9/db"',
    ],
)
def test_a_password_that_breaks_an_address_is_not_shown(url: str, tmp_path: Path) -> None:
    """The form of libpq's key words, and signs that end the host, are refused without a part of the value."""
    with pytest.raises(ConfigurationError, match="DATABASE_URL is not an address") as caught:
        check_url(settings(tmp_path), url, named="DATABASE_URL")

    assert "sek" not in caught.value.render()


@pytest.mark.parametrize(
    "variable", ["DATABASE_URL", "REDIS_URL", "STAGING_DATABASE_URL", "STAGING_REDIS_URL"]
)
@pytest.mark.parametrize(
    "value", ["hello", "sekret-prod", "hello:5432", "//hello/x", "me:sekret@127.0.0.1/x"]
)
def test_a_bare_word_is_no_address_of_a_store(value: str, variable: str, tmp_path: Path) -> None:
    """It is not taken for a host, and not shown: it may be a password that went to the wrong variable."""
    with pytest.raises(ConfigurationError, match=f"{variable} is not an address") as caught:
        refuse_writes(settings(tmp_path, **{variable: value}), command="ragbed up")

    assert not [word for word in ("hello", "sekret") if word in caught.value.render()]


def test_a_quoted_address_is_told_as_one(tmp_path: Path) -> None:
    """Docker's and GitHub's env files keep quotation marks."""
    with pytest.raises(ConfigurationError, match="is not an address") as caught:
        refuse_writes(
            settings(tmp_path, DATABASE_URL="'postgres://me:sekret@127.0.0.1/x'"), command="ragbed up"
        )

    assert "without quotes" in caught.value.hint
    assert "sekret" not in caught.value.render()


@pytest.mark.parametrize(
    "url",
    ["redis://127.0.0.1:abc/0", "http://127.0.0.1:99999", "http://[::1", "postgresql://u:p[w@127.0.0.1/x"],
)
def test_what_is_no_address_is_refused_by_the_variables_name(url: str, tmp_path: Path) -> None:
    """A broken URL is a mistake in the configuration, told without the URL, which may hold a password."""
    with pytest.raises(ConfigurationError, match="REDIS_URL is not an address") as caught:
        check_url(settings(tmp_path), url, named="REDIS_URL")

    assert "p[w" not in caught.value.render()


@given(word=st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_only_whole_words_count(word: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Letters before or after a word of production make it another word."""
    check_url(
        settings(tmp_path_factory.getbasetemp()),
        f"postgresql://{word}prod{word}@127.0.0.1/{word}live{word}",
        named="DATABASE_URL",
    )
