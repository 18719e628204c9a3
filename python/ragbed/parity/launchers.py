"""The launchers that a parity run compares, and the settings that lead to the services of each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.project import project_folder
from ragbed.settings import definitions as known
from ragbed.settings import resolve_settings
from ragbed.stack.launcher_choice import every_launcher
from ragbed.stack.section import STACK_DEFAULT_PORTS, STACK_LAUNCHER, STACK_LAUNCHERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.settings import Settings

ADDRESSES = (
    known.POSTGRES_URL,
    known.REDIS_URL,
    known.QDRANT_URL,
    known.OLLAMA_URL,
    known.LLM_MOCK_URL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherPlan:
    """How one launcher is put to the test.

    Attributes:
        name: Of the launcher.
        uses_addresses: Whether the services are used that the user's settings name.
        absent: Why it takes no part, in words; empty where it does.
    """

    name: str
    uses_addresses: bool
    absent: str = ""

    def settings(self, addresses: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of this project that lead to the launcher's services.

        Args:
            addresses: Of services that are up by now, by the key of their setting; None for none.
        """
        variables = () if self.uses_addresses else tuple(one.env[0] for one in ADDRESSES)
        environ = {name: value for name, value in os.environ.items() if name not in variables}
        overrides: dict[str, Any] = {
            STACK_DEFAULT_PORTS.key: False,
            STACK_LAUNCHER.key: "process" if self.uses_addresses else self.name,
            STACK_LAUNCHERS.key: {},
        }
        settings = resolve_settings(folder=project_folder(), environ=environ, overrides=overrides)
        if not self.uses_addresses:  # a file may name some, too
            overrides |= {one.key: "" for one in ADDRESSES if settings[one]}
        return resolve_settings(
            folder=project_folder(), environ=environ, overrides={**overrides, **(addresses or {})}
        )


def planned(settings: Settings) -> list[LauncherPlan]:
    """Return every launcher; one that is not there says why.

    Args:
        settings: What the user chose.
    """
    variables = ", ".join(one.env[0] for one in ADDRESSES)
    given = any(settings[one] for one in ADDRESSES)
    attach = LauncherPlan(
        name="attach", uses_addresses=True, absent="" if given else f"none of {variables} is set"
    )
    return [
        *(
            LauncherPlan(name=one.name, uses_addresses=False, absent=one.unavailable())
            for one in every_launcher()
        ),
        attach,
    ]
