"""The marker in a store: which projects ragbed may write there for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKER = "ragbed_marker"
"""The table, key or collection that says for which projects ragbed may write here."""


class Project(Protocol):
    """A project, as a marker names it."""

    @property
    def id(self) -> str:
        """16 hex digits, made once."""

    @property
    def name(self) -> str:
        """A word for people, which several projects may share."""


@dataclass(frozen=True, slots=True)
class Marker:
    """What a store's marker says.

    Attributes:
        projects: Names of the projects that may write, by id. Empty in the marker of an older ragbed, which wrote
            none down.
    """

    projects: Mapping[str, str]

    def lets_in(self, project: Project) -> bool:
        """Tell whether a project may write here."""
        return project.id in self.projects

    def describe(self) -> str:
        """Return the projects for a message, the marker of an older ragbed included."""
        named = ", ".join(f"{name} ({key})" for key, name in sorted(self.projects.items()))
        return named or "a project of an older ragbed, which wrote down no name"


def why_refused(marker: Marker | None, project: Project | None) -> str:
    """Return why a project may not write to a store, to follow the store's name; empty where it may.

    Args:
        marker: The store's.
        project: The project; None where it has no identity yet, and so has adopted nothing.
    """
    if marker is None:
        return "does not carry ragbed's marker"
    if project and marker.lets_in(project):
        return ""
    named = f"this project, {project.name} ({project.id})" if project else "this project"
    return f"carries ragbed's marker for {marker.describe()}, and not for {named}"


def note_of(project_id: str, name: str) -> str:
    """Return a project as a line of text, for places that hold one: a row, a comment, a collection's metadata."""
    return json.dumps({"project": project_id, "name": name})


def read_note(text: str | None) -> tuple[str, str] | None:
    """Return id and name of the project that `note_of` wrote down; None for any other text."""
    try:
        value = json.loads(text or "")
        return str(value["project"]), str(value["name"])
    except (ValueError, TypeError, KeyError):
        return None


def names_by_id(value: object) -> dict[str, str]:
    """Return the projects among values that were read from a store; what has another form counts as none."""
    if not isinstance(value, dict):
        return {}
    return {str(key): str(name) for key, name in value.items() if isinstance(name, str)}
