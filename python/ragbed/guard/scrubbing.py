"""Secrets taken out of texts that others wrote: the message of a client's error, the lines of a log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ragbed.guard.addresses import redacted
from ragbed.guard.libpq import PRIVATE
from ragbed.settings import all_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ragbed.settings import Setting, Settings

_SHORTEST = 4
"""A shorter password stands in too many words to be found by."""

_LONG = 8
"""A secret of this length is hidden inside of words too."""


def scrubber(settings: Settings, addresses: Iterable[str] = ()) -> Callable[[str], str]:
    """Return what replaces every secret that the settings hold, from whatever source, by `***`.

    Keys, and the passwords of addresses, both as they are written and as they are read. The documented password of
    devenv's Postgres is also our user's name and stays.

    Args:
        settings: The resolved settings.
        addresses: Further addresses, of services that ragbed started with passwords of its own.
    """
    of_settings = (
        secret
        for key, setting in all_settings().items()
        for resolved in settings.history[key]
        if isinstance(resolved.value, str)
        for secret in _secrets(resolved.value, whole=setting.secret)
    )
    of_addresses = (secret for address in addresses for secret in _secrets(address, whole=False))
    secrets = {
        form
        for secret in (*of_settings, *of_addresses)
        for form in (secret, unquote(secret))
        if len(form) >= _SHORTEST and form != PRIVATE
    }
    if not secrets:
        return lambda text: text
    forms = [
        re.escape(form) if len(form) >= _LONG else rf"(?<!\w){re.escape(form)}(?!\w)"
        for form in sorted(secrets, key=len, reverse=True)
    ]
    pattern = re.compile("|".join(forms))
    return lambda text: pattern.sub("***", text)


def shown_value(setting: Setting[Any], value: object) -> object:
    """Return a setting's value as it may be shown: secrets, and the passwords of addresses, are hidden."""
    if setting.secret and value:
        return "***"
    return redacted(value) if isinstance(value, str) and setting.key.endswith("url") else value


def _secrets(value: str, *, whole: bool) -> Iterator[str]:
    """Yield what is secret in a value; all of it where it is `whole` and no address."""
    if "://" not in value or redacted(value) == "(no address)":
        if whole:
            yield value
        return
    parts = urlsplit(value)
    if parts.password:
        yield parts.password
    shown = dict(parse_qsl(urlsplit(redacted(value)).query))
    yield from (text for name, text in parse_qsl(parts.query) if shown.get(name) == "***")
