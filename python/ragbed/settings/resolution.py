"""One place where settings resolve, in a fixed order; each value remembers its source."""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.errors import ConfigurationError
from ragbed.settings import definitions as known
from ragbed.settings.from_lock import models_of_set
from ragbed.settings.kept_back import with_kept_back
from ragbed.settings.llm import FREE, named_provider
from ragbed.settings.local_file import why_not_the_users
from ragbed.settings.registry import all_settings
from ragbed.settings.resolved import Resolved, Settings
from ragbed.settings.source import LOCAL_FILE, PROJECT_FILE, Source
from ragbed.settings.tiers import find_tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragbed.settings.setting import Setting

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EXPECTED = {
    bool: "true or false",
    str: "text",
    int: "a whole number of at least 0",
    float: "a number of at least 0",
}


def resolve_settings(
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    flags: Mapping[str, object] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Resolve every setting: defaults, tier, project file, developer's file, environment, flags, overrides.

    Args:
        environ: Environment variables; None takes the process's.
        folder: Where `ragbed.toml` and `ragbed.local.toml` are looked for; None takes the current folder.
        flags: Values of command-line flags by key; a None value means not given.
        overrides: Values of one test by key.

    Raises:
        ConfigurationError: A source names an unknown key or a value of a wrong kind, or a file is not TOML.
    """
    environ = os.environ if environ is None else environ
    folder = folder or Path.cwd()
    name = environ.get("APP_ENV") or "local"
    tier = find_tier(name)
    doubt = why_not_the_users(folder / LOCAL_FILE)
    local = Source(kind="file", name=LOCAL_FILE, doubt=doubt.reason if doubt else "")
    sources = [
        *((Source(kind="tier", name=tier.name), key, value) for key, value in tier.values.items()),
        *_from_file(folder / PROJECT_FILE, Source(kind="file", name=PROJECT_FILE)),
        *_from_file(folder / LOCAL_FILE, local),
        *_from_environment(environ),
        *((Source(kind="flag"), key, value) for key, value in (flags or {}).items() if value is not None),
        *((Source(kind="override"), key, value) for key, value in (overrides or {}).items()),
    ]
    every, default = all_settings(), Source(kind="default")
    renamed = {setting.old_key: key for key, setting in every.items() if setting.old_key}
    history = {key: [Resolved(value=setting.default, source=default)] for key, setting in every.items()}
    for source, written, raw in sources:
        key = renamed.get(written, written)
        if key not in every:
            raise _unknown(key, source, list(every))
        value = _read(every[key], raw, source)
        before = next(one.value for one in reversed(history[key]) if one.counted)
        counted = source.may_lift_guards or not every[key].is_looser(value, before)
        history[key].append(Resolved(value=value, source=source, counted=counted))
    settings = Settings(
        tier=tier,
        tier_source=Source(kind="environment", name="APP_ENV") if environ.get("APP_ENV") else default,
        history={key: tuple(values) for key, values in history.items()},
        features=_features(environ),
    )
    settings = replace(settings, history={**settings.history, **_models_of_provider(settings)})
    settings = replace(settings, history={**settings.history, **_models_of_set(settings, environ, folder)})
    return with_kept_back(settings, environ, doubt)


def _models_of_provider(settings: Settings) -> dict[str, tuple[Resolved, ...]]:
    """Return the histories of the models that a tier names for its own provider, where another one is taken.

    `MODEL_PROVIDER=mock` in a tier that pays would otherwise ask the mock for a model of OpenAI's.
    """
    llm = named_provider(settings)[0]
    providers = {known.LLM_MODEL: llm, known.EMBEDDING_MODEL: settings[known.EMBEDDING_PROVIDER] or llm}
    return {
        model.key: (
            *settings.history[model.key],
            Resolved(value=model.default, source=Source(kind="default", name=provider)),
        )
        for model, provider in providers.items()
        if provider in FREE and settings.source(model).kind == "tier"
    }


def _models_of_set(
    settings: Settings, environ: Mapping[str, str], folder: Path
) -> dict[str, tuple[Resolved, ...]]:
    """Return the histories of the models that have not been named, where a lock or a set of it has been."""
    file = environ.get("RAGBED_MODELS_LOCK", "")
    if not (file or settings[known.MODELS_SET] or _has_own_lock(folder)):
        return {}
    chosen, models = models_of_set(
        settings[known.MODELS_SET], file, named_by=str(settings.source(known.MODELS_SET))
    )
    purposes = {known.LLM_MODEL: "chat", known.EMBEDDING_MODEL: "embedding"}
    return {
        setting.key: (
            *settings.history[setting.key],
            Resolved(value=models[purpose], source=Source(kind="model_set", name=chosen)),
        )
        for setting, purpose in purposes.items()
        if purpose in models and settings.source(setting).kind == "default"
    }


def _has_own_lock(folder: Path) -> bool:
    """Tell whether a project brings a model lock; ragbed's own source tree has the one that the defaults are from."""
    lock = folder / "models.lock.json"
    return lock.is_file() and lock.parent.resolve() != Path(__file__).resolve().parents[3]


def _from_file(path: Path, source: Source) -> Iterator[tuple[Source, str, object]]:
    if not path.is_file():
        return
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {_reason(error)}", hint="mend or remove it"
        ) from error
    for section, values in sections.items():
        if not isinstance(values, dict):
            raise ConfigurationError(
                f"{path}: {section} stands outside a section", hint="write [section] above it"
            )
        for name, value in values.items():
            yield source, f"{section}.{name}", value


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[Source, str, object]]:
    """Yield what the environment says; ragbed's own form comes after the field's names and so wins."""
    for setting in all_settings().values():
        for variable in reversed((setting.own_variable, *setting.env)):
            if environ.get(variable):
                yield Source(kind="environment", name=variable), setting.key, environ[variable]
            elif setting.secret and environ.get(f"{variable}_FILE"):
                yield (
                    Source(kind="environment", name=f"{variable}_FILE"),
                    setting.key,
                    _secret(environ[f"{variable}_FILE"], variable),
                )
    names = {one for setting in all_settings().values() for one in (setting.own_variable, *setting.env)}
    names |= {f"{setting.own_variable}_FILE" for setting in all_settings().values() if setting.secret}
    for variable in environ:
        if variable.startswith("RAGBED_") and "__" in variable and variable not in names:
            raise _unknown(variable, Source(kind="environment"), sorted(names))


def _secret(path: str, variable: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{variable}_FILE names {path}, which cannot be read: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    """Return why a file cannot be read; the system's own text has the path and a number beside it."""
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


def _read(setting: Setting[Any], raw: object, source: Source) -> object:
    """Return `raw` as the setting's kind, from a string or a TOML value."""
    if setting.reader is not None:
        return setting.reader(raw, str(source))
    try:
        value = _convert(setting.kind, raw)
    except (TypeError, ValueError):
        shown = "a secret" if setting.secret else repr(raw)
        raise ConfigurationError(
            f"{setting.key} is {shown} ({source}), expected {_EXPECTED[setting.kind]}",
            hint=_example(setting, source),
        ) from None
    if setting.secret and _CONTROL.search(str(value)):
        raise ConfigurationError(
            f"{setting.key} ({source}) has a line break or another control character in it",
            hint="give it in one line; a file's last line break is taken away",
        )
    return _chosen(setting, str(value), source) if setting.choices else value


def _chosen(setting: Setting[Any], value: str, source: Source) -> str:
    """Return the choice that `value` names, in whatever case: LOG_LEVEL=debug is common."""
    value = dict(setting.old_choices).get(value.lower(), value)
    for choice in setting.choices:
        if choice.lower() == value.lower():
            return choice
    allowed = ", ".join(choice for choice in setting.choices if choice)
    raise ConfigurationError(
        f"{setting.key} is {value!r} ({source}), expected one of {allowed}", hint=f"it says: {setting.help}"
    )


def _example(setting: Setting[Any], source: Source) -> str:
    """Return what may be written instead, in the form of the source, and what the setting is for."""
    begin = f"{source.name}=" if source.kind == "environment" else f"{setting.key.partition('.')[2]} = "
    values = ("true", "false") if setting.kind is bool else (repr(setting.default),)
    shown = " or ".join(f"{begin}{value}" for value in values)
    return f"write {shown}; it says: {setting.help}"


def _convert(kind: Any, raw: object) -> object:
    if kind is bool:
        return _convert_bool(raw)
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise TypeError(f"{raw!r} is no {kind.__name__}")
    if kind is str:
        return str(raw)
    if kind is int and isinstance(raw, float):
        raise TypeError(f"{raw!r} is not a whole number")
    number = kind(raw)
    if not 0 <= number < math.inf:  # a budget of nan or of minus one would cap nothing
        raise ValueError(f"{raw!r} is not an amount")
    return number


def _convert_bool(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in _TRUE | _FALSE:
        return raw.lower() in _TRUE
    raise TypeError(f"{raw!r} is neither true nor false")


def _features(environ: Mapping[str, str]) -> dict[str, bool]:
    return {
        variable.removeprefix("FEATURE_").lower(): value.lower() in _TRUE
        for variable, value in environ.items()
        if variable.startswith("FEATURE_")
    }


def _unknown(name: str, source: Source, names: list[str]) -> ConfigurationError:
    near = difflib.get_close_matches(name, names, n=1)
    return ConfigurationError(
        f"{name} ({source}) is not a setting",
        hint=f"did you mean {near[0]}?" if near else "see `ragbed config explain`",
    )
