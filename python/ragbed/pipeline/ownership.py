"""Whose a namespace is: each store says it beside the data, and other projects are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import GuardRefused
from ragbed.guard.stores import read_note

if TYPE_CHECKING:
    from ragbed.pipeline.config import PipelineConfig


def require_own(config: PipelineConfig, note: str, *, store: str) -> None:
    """Return where a namespace that is in a store belongs to this project.

    Args:
        config: The namespace, and whose pipeline this is.
        note: What the store says of it, as `note_of` wrote it; another text, or none, is an older ragbed's.
        store: The store's name, for the message.

    Raises:
        GuardRefused: It belongs to another project, or an older ragbed wrote down no project.
    """
    owner = read_note(note)
    if (owner[0] if owner else "") == config.project_id:
        return
    here = f"namespace {config.namespace} in {store}"
    take = f"`ragbed adopt --take {config.namespace} URL` makes it this project's in the store at URL"
    if owner is None:
        raise GuardRefused(f"{here} was made by an older ragbed, which wrote down no project", hint=take)
    raise GuardRefused(
        f"{here} belongs to another project, {owner[1]} ({owner[0]})",
        details=[
            f"this project is {config.project_name or 'without a name'} ({config.project_id or 'no id'})"
        ],
        hint=f"take another name by --namespace; or, where that project has gone, {take}",
    )
