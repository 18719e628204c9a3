"""What a source said that is not acted on: guards that a checkout would lift, keys that belong to another address."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.settings import definitions as known
from ragbed.settings.registry import all_settings
from ragbed.settings.source import LOCAL_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragbed.settings.local_file import Doubt
    from ragbed.settings.resolved import Resolved, Settings
    from ragbed.settings.setting import Setting


def with_kept_back(settings: Settings, environ: Mapping[str, str], doubt: Doubt | None) -> Settings:
    """Return the settings with a password of the environment kept from another source's address, and the notes.

    Args:
        settings: The resolved settings.
        environ: Environment variables.
        doubt: Why the developer's own file does not speak for this user; None where it does.
    """
    notes = [*_of_the_local_file(doubt), *_of_guards(settings), *_of_the_api_key(settings)]
    url = settings.in_force(known.POSTGRES_URL)
    if environ.get("PGPASSWORD") and _leaves_the_password_open(url):
        history = settings.history[known.POSTGRES_URL.key]
        closed = replace(url, value=f"{url.value}{'&' if '?' in url.value else '?'}password=")
        settings = replace(settings, history={**settings.history, known.POSTGRES_URL.key: (*history, closed)})
        notes.append(_kept_back("PGPASSWORD", known.POSTGRES_URL, url))
    return replace(settings, notes=tuple(notes))


def line_to_add(setting: Setting[str], value: object) -> str:
    """Return what to write, and where, so that a value counts that lifts a guard.

    Args:
        setting: The setting.
        value: The value.
    """
    section, _, name = setting.key.partition(".")
    value = "…" if setting.secret else value
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
    return (
        f"set {setting.own_variable}={value}, or write into ragbed.local.toml, which git must not track:"
        f" [{section}] {name} = {shown}"
    )


def _of_the_local_file(doubt: Doubt | None) -> Iterator[str]:
    if doubt:
        yield (
            f"{LOCAL_FILE} counts as the project's, not as yours ({doubt.reason}): it lifts no guard; to make it"
            f" yours: {doubt.remedy}"
        )


def _of_guards(settings: Settings) -> Iterator[str]:
    for setting in all_settings().values():
        if setting.loosens and (refused := settings.not_counted(setting)):
            yield (
                f"{setting.key} of {refused.source} does not count, since it lifts a guard; if you mean it:"
                f" {line_to_add(setting, refused.value)}"
            )


def _of_the_api_key(settings: Settings) -> Iterator[str]:
    key, address = settings.in_force(known.QDRANT_API_KEY), settings.in_force(known.QDRANT_URL)
    elsewhere = settings.is_given(known.QDRANT_URL) and not address.value.startswith("memory:")
    if key.value and elsewhere and key.source.level != address.source.level:
        yield _kept_back(key.source.short, known.QDRANT_URL, address)


def _kept_back(secret: str, setting: Setting[str], address: Resolved) -> str:
    return (
        f"{secret} is kept back: it was not given together with {setting.key}, which is from"
        f" {address.source.short}; to send it"
        f" there, give both in one place, for example: export {setting.env[0]}=URL"
    )


def _leaves_the_password_open(url: Resolved) -> bool:
    """Tell whether libpq would take its password from the environment for an address that came from elsewhere."""
    if not url.value or url.source.level == "environment":
        return False
    try:
        parts = urlsplit(url.value)
    except ValueError:
        return False  # refused where it is used
    return parts.scheme.startswith("postgres") and not parts.password and "password=" not in parts.query
