"""A checkout's files tighten guards; lifting one, and sending a key, takes the user's own word."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ConfigurationError, GuardRefused
from ragbed.guard import check_url
from ragbed.settings import all_settings, definitions, resolve_settings
from ragbed.stack.addresses import qdrant_key

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.settings import Settings

HOST = "elsewhere.example.com"
URL = f"postgresql://u@{HOST}/x"
ALLOWING = f'[guard]\nallowed_hosts = "{HOST}"\n'
LOOSER = {
    "guard.allowed_hosts": '"elsewhere.example.com"',
    "serve.allowed_names": '"page.example"',
    "stack.postgres_password": '"public"',
    "stack.redis_password": '"public"',
    "budget.run_usd": "1000",
    "budget.daily_usd": "1000",
    "budget.monthly_usd": "1000",
    "budget.request_tokens": "100000",
    "rate_limit.enabled": "false",
    "rate_limit.per_minute": "100000",
    "rate_limit.per_hour": "100000",
}
QDRANT = "http://127.0.0.1:7000"


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file of the project."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def git(folder: Path, *words: str) -> None:
    """Run git in a folder, as a user with a name."""
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(folder), *words]
    subprocess.run(command, check=True, capture_output=True)


def refused(settings: Settings) -> GuardRefused:
    """Return the refusal of the other machine."""
    with pytest.raises(GuardRefused) as caught:
        check_url(settings, URL, named="DATABASE_URL")
    return caught.value


def test_a_projects_file_does_not_let_other_machines_in(tmp_path: Path) -> None:
    """It came with the checkout: refused, with what to write, where, and who said it in vain."""
    write(tmp_path, "ragbed.toml", ALLOWING)

    error = refused(resolve_settings(folder=tmp_path, environ={}))

    assert f'ragbed.local.toml, which git must not track: [guard] allowed_hosts = "{HOST}"' in error.hint
    assert f"RAGBED_GUARD__ALLOWED_HOSTS={HOST}" in error.hint
    assert "ragbed.toml allows it, which does not count" in error.details[0]


@pytest.mark.parametrize("source", ["environment", "flag", "override", "ragbed.local.toml"])
def test_the_users_own_word_lets_another_machine_in(source: str, tmp_path: Path) -> None:
    """The environment, a flag, a test's override, and the developer's own file."""
    write(tmp_path, "ragbed.toml", '[guard]\nallowed_hosts = "in-vain.example.com"\n')
    if source == "ragbed.local.toml":
        write(tmp_path, source, ALLOWING)
    said = {"guard.allowed_hosts": HOST}

    settings = resolve_settings(
        folder=tmp_path,
        environ={"RAGBED_GUARD__ALLOWED_HOSTS": HOST} if source == "environment" else {},
        flags=said if source == "flag" else {},
        overrides=said if source == "override" else {},
    )

    check_url(settings, URL, named="DATABASE_URL")


def test_a_local_file_counts_beside_a_git_that_ignores_it(tmp_path: Path) -> None:
    """An untracked file is the developer's, whatever else git tracks; so is one beside an empty `.git`."""
    git(tmp_path, "init", "-q")
    write(tmp_path, "ragbed.local.toml", ALLOWING)
    check_url(resolve_settings(folder=tmp_path, environ={}), URL, named="DATABASE_URL")

    (empty := tmp_path / "empty").mkdir()
    (empty / ".git").mkdir()
    write(empty, "ragbed.local.toml", ALLOWING)
    check_url(resolve_settings(folder=empty, environ={}), URL, named="DATABASE_URL")


@pytest.mark.parametrize("as_link", [False, True], ids=["file", "link"])
def test_a_local_file_that_git_tracks_is_the_projects(as_link: bool, tmp_path: Path) -> None:
    """Even staged only, and in a folder below: it lifts nothing, and that is said with what to type."""
    git(tmp_path, "init", "-q")
    (folder := tmp_path / "below").mkdir()
    path = write(folder, "other.toml" if as_link else "ragbed.local.toml", ALLOWING)
    if as_link:
        (folder / "ragbed.local.toml").symlink_to(path)
    git(tmp_path, "add", "-f", "below/ragbed.local.toml")

    settings = resolve_settings(folder=folder, environ={})

    refused(settings)
    assert any("git tracks it" in line and "git rm --cached" in line for line in settings.notes)


def test_a_repositorys_own_programs_are_not_run(tmp_path: Path) -> None:
    """Git's monitor of the file system, and its like, come with a checkout."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    write(tmp_path, "ragbed.local.toml", ALLOWING)

    resolve_settings(folder=tmp_path, environ={})

    assert not (tmp_path / "ran").exists()


def test_a_local_file_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    """What others can put there is not the user's word."""
    write(tmp_path, "ragbed.local.toml", ALLOWING).chmod(0o666)

    settings = resolve_settings(folder=tmp_path, environ={})

    refused(settings)
    assert any("others may write to it" in line and "chmod go-w" in line for line in settings.notes)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_a_local_file_of_another_user_is_not_believed(link: bool, tmp_path: Path) -> None:
    """Nor a link that another user made to a file of ours."""
    path = write(tmp_path, "mine.toml" if link else "ragbed.local.toml", ALLOWING)
    if link:
        (tmp_path / "ragbed.local.toml").symlink_to(path)
    os.chown(tmp_path / "ragbed.local.toml", 1234, 1234, follow_symlinks=False)

    settings = resolve_settings(folder=tmp_path, environ={})

    refused(settings)
    assert any("belongs to user id 1234" in line for line in settings.notes)


def test_every_setting_that_lifts_a_guard_is_marked() -> None:
    """A new one has to be thought about here."""
    assert {key for key, setting in all_settings().items() if setting.loosens} == {
        *LOOSER,
        "llm.fail_on_real_call",
    }


@pytest.mark.parametrize("key", LOOSER)
def test_a_projects_file_lifts_no_guard(key: str, tmp_path: Path) -> None:
    """The value is remembered as not counted, another is in force, and a line says what to do."""
    section, _, name = key.partition(".")
    write(tmp_path, "ragbed.toml", f"[{section}]\n{name} = {LOOSER[key]}\n")
    setting = all_settings()[key]

    settings = resolve_settings(folder=tmp_path, environ={"APP_ENV": "staging"})

    assert settings.source(setting).kind != "file"
    assert settings.not_counted(setting)
    assert [line for line in settings.notes if line.startswith(f"{key} of ragbed.toml does not count")]


@pytest.mark.parametrize(
    ("key", "value"),
    [("budget.run_usd", "0.5"), ("rate_limit.per_minute", "1"), ("llm.fail_on_real_call", "true")],
)
def test_a_projects_file_tightens_guards(key: str, value: str, tmp_path: Path) -> None:
    """Less money, fewer requests, no paid calls: as it says."""
    section, _, name = key.partition(".")
    write(tmp_path, "ragbed.toml", f"[{section}]\n{name} = {value}\n")

    settings = resolve_settings(folder=tmp_path, environ={"APP_ENV": "staging"})

    assert str(settings.source(all_settings()[key])) == "ragbed.toml"
    assert settings.notes == ()


@pytest.mark.parametrize("key", ["app.env", "app.app_env", "tier.name", "APP.ENV"])
def test_no_file_chooses_the_tier(key: str, tmp_path: Path) -> None:
    """Staging may reach any host: only the environment names a tier."""
    section, _, name = key.partition(".")
    write(tmp_path, "ragbed.local.toml", f'[{section}]\n{name} = "staging"\n')

    with pytest.raises(ConfigurationError, match="is not a setting"):
        resolve_settings(folder=tmp_path, environ={})


@pytest.mark.parametrize("key_from", ["environment", "ragbed.toml", "ragbed.local.toml"])
@pytest.mark.parametrize("url_from", ["environment", "ragbed.toml", "ragbed.local.toml", "nowhere"])
def test_a_key_goes_only_to_the_address_it_was_given_with(
    key_from: str, url_from: str, tmp_path: Path
) -> None:
    """The same kind of source names both; else the key is kept back, and a line says so."""
    files = {"ragbed.toml": "[qdrant]\n", "ragbed.local.toml": "[qdrant]\n"}
    environ = {}
    for name, variable, value, source in (
        ("url", "QDRANT_URL", QDRANT, url_from),
        ("api_key", "QDRANT_API_KEY", "the-key", key_from),
    ):
        if source in files:
            files[source] += f'{name} = "{value}"\n'
        elif source == "environment":
            environ[variable] = value
    for name, text in files.items():
        write(tmp_path, name, text)

    settings = resolve_settings(folder=tmp_path, environ=environ)

    assert qdrant_key(settings, QDRANT) == ("the-key" if key_from == url_from else "")
    assert qdrant_key(settings, "http://127.0.0.1:6333") == ""
    said = [line for line in settings.notes if "is kept back" in line]
    assert bool(said) == (url_from not in {key_from, "nowhere"})


def test_a_projects_own_key_is_not_hidden_by_the_users(tmp_path: Path) -> None:
    """The address of a file gets the key of that file; the environment's stays at home, and that is said."""
    write(tmp_path, "ragbed.toml", f'[qdrant]\nurl = "{QDRANT}"\napi_key = "test-key"\n')

    settings = resolve_settings(folder=tmp_path, environ={"QDRANT_API_KEY": "the-key"})

    assert qdrant_key(settings, QDRANT) == "test-key"
    assert "QDRANT_API_KEY is kept back" in settings.notes[0]


@pytest.mark.parametrize(
    ("url", "handed"),
    [
        ("postgresql://me@127.0.0.1/x", "postgresql://me@127.0.0.1/x?password="),
        ("postgresql:///x?host=/run", "postgresql:///x?host=/run&password="),
        ("postgresql://me:own@127.0.0.1/x", "postgresql://me:own@127.0.0.1/x"),
    ],
)
def test_libpqs_password_stays_with_the_environments_address(url: str, handed: str, tmp_path: Path) -> None:
    """PGPASSWORD goes to any address without one; an address of a file says that its password is empty."""
    write(tmp_path, "ragbed.toml", f'[postgres]\nurl = "{url}"\n')

    settings = resolve_settings(folder=tmp_path, environ={"PGPASSWORD": "secret"})

    assert settings[definitions.POSTGRES_URL] == handed
    assert any("PGPASSWORD is kept back" in line for line in settings.notes) == (handed != url)


def test_libpqs_password_goes_to_the_environments_address(tmp_path: Path) -> None:
    """Both are the user's."""
    environ = {"PGPASSWORD": "secret", "DATABASE_URL": "postgresql://me@127.0.0.1/x"}

    settings = resolve_settings(folder=tmp_path, environ=environ)

    assert settings[definitions.POSTGRES_URL] == environ["DATABASE_URL"]
