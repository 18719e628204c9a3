"""`ragbed config`: where each setting comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.settings import Resolved, Setting, Settings


@click.group(epilog="Example: ragbed config explain")
def config() -> None:
    """Explain where each setting comes from."""


@config.command(
    epilog="Example: APP_ENV=staging ragbed config explain llm.provider",
    short_help="Show each setting with its value and source.",
)
@click.argument("key", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain(*, key: str | None, as_json: bool) -> None:
    """Show every setting with its value and source; with KEY, every source that had a word."""
    from ragbed.cli.output import show_json, show_table
    from ragbed.cli.project import project_settings
    from ragbed.settings import all_settings

    settings = project_settings()
    known = all_settings()
    chosen = [_find(key, known)] if key else list(known.values())
    if as_json:
        show_json(_describe(settings, chosen))
        return
    click.echo(f"tier: {settings.tier.name} ({settings.tier_source})")
    if key:
        (setting,) = chosen
        variables = ", ".join((setting.own_variable, *setting.env))
        click.echo(f"{setting.key}: {setting.described} Set by {variables}.")
        history = settings.history[setting.key]
        rows = [(_shown(setting, one), f"{one.source}{_standing(settings, setting, one)}") for one in history]
        show_table(["value", "source"], rows)
        return
    values = [(s.key, _shown(s, settings.in_force(s)), str(settings.source(s))) for s in chosen]
    flags = [
        (f"feature {name}", str(on), f"environment FEATURE_{name.upper()}")
        for name, on in settings.features.items()
    ]
    show_table(["key", "value", "source"], [*values, *flags])


def _standing(settings: Settings, setting: Setting[Any], resolved: Resolved) -> str:
    """Return whether a value is in force, or does not count, in words; empty where a later one is in force."""
    if not resolved.counted:
        return " (does not count: it lifts a guard)"
    return " (in force)" if resolved is settings.in_force(setting) else ""


def _find(key: str, known: Mapping[str, Setting[Any]]) -> Setting[Any]:
    import difflib

    from ragbed.errors import UsageError

    if key in known:
        return known[key]
    near = difflib.get_close_matches(key, known, n=1)
    raise UsageError(
        f"{key} is not a setting",
        hint=f"did you mean {near[0]}?" if near else "ragbed config explain lists them",
    )


def _describe(settings: Settings, chosen: list[Setting[Any]]) -> dict[str, Any]:
    from ragbed.guard import shown_value

    return {
        "tier": {"value": settings.tier.name, "source": str(settings.tier_source)},
        "settings": {
            setting.key: {
                "value": shown_value(setting, settings[setting]),
                "source": str(settings.source(setting)),
                "history": [
                    {
                        "value": shown_value(setting, resolved.value),
                        "source": str(resolved.source),
                        "counted": resolved.counted,
                    }
                    for resolved in settings.history[setting.key]
                ],
            }
            for setting in chosen
        },
        "features": dict(settings.features),
    }


def _shown(setting: Setting[Any], resolved: Resolved) -> str:
    from ragbed.guard import shown_value

    value = shown_value(setting, resolved.value)
    return "(none)" if value == "" else str(value)
