"""The ways to have a service that other programs run, in order: given by URL, announced, on its default port.

Each returns the service, ready, or what it skipped and why; the next one in the list is asked then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.errors import GuardRefused
from ragbed.guard import check_url
from ragbed.stack.addresses import default_url
from ragbed.stack.attaching import attach_default, attach_found, attach_given
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.launchers import Ready
from ragbed.stack.skipped_services import Skipped

if TYPE_CHECKING:
    from ragbed.guard import Project
    from ragbed.pins import ServicePins
    from ragbed.settings import LlmChoice, Settings
    from ragbed.stack.external_services import Announcement
    from ragbed.stack.kinds import ServiceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """One service of a stack, and what it must be.

    Attributes:
        kind: What is known of it.
        pins: What is accepted, and the default port.
        settings: The resolved settings.
        llm: Which LLM is wanted.
        project: Who wants to write there; None for a state folder without an identity.
        models: The models that it must have.
        announced: How it was announced; None when it was not.
        may_discover: Whether it is looked for where it was not given.
    """

    kind: ServiceKind
    pins: ServicePins
    settings: Settings
    llm: LlmChoice
    project: Project | None
    models: tuple[str, ...] = ()
    announced: Announcement | None = None
    may_discover: bool = True


Resolver = Callable[[Sought, Skipped], Ready | Skipped]
"""Takes what is sought and what was skipped before; returns it, ready, or what was skipped now."""


def resolve(resolvers: Iterable[Resolver], sought: Sought) -> Ready | Skipped:
    """Return what the first way gives that has the service; else all that was skipped.

    Args:
        resolvers: The ways, in order.
        sought: The service.
    """
    skipped = Skipped(service=sought.kind.name)
    for resolver in resolvers:
        outcome = resolver(sought, skipped)
        if isinstance(outcome, Ready):
            return outcome
        skipped = skipped.followed_by(outcome)
    return skipped


def given(sought: Sought, _before: Skipped) -> Ready | Skipped:
    """Use the service whose URL was given, proven to be usable: it is never replaced.

    Raises:
        RagbedError: It cannot be used as it is.
    """
    setting = sought.kind.address(sought.llm)
    url = sought.settings[setting]
    if not url or url.startswith("memory:"):
        return _nothing(sought)
    endpoint = attach_given(
        sought.kind.name,
        url,
        named=sought.settings.source(setting).short,
        pins=sought.pins,
        settings=sought.settings,
        project=sought.project,
        models=sought.models,
        announced=sought.announced,
    )
    return Ready(endpoint=endpoint)


def announced(sought: Sought, _before: Skipped) -> Ready | Skipped:
    """Use what answers where the service was announced, if it is right in every way."""
    if sought.announced is None or not sought.may_discover:
        return _nothing(sought)
    if refused := _refused(sought):
        return Skipped(service="", reasons=(refused,))
    return _ready(
        attach_found(
            sought.kind.name,
            sought.announced.url,
            pins=sought.pins,
            settings=sought.settings,
            project=sought.project,
            models=sought.models,
            announced=sought.announced,
        )
    )


def on_default_port(sought: Sought, _before: Skipped) -> Ready | Skipped:
    """Use what answers on the default port, if it is right in every way, and was not looked at as announced."""
    if not sought.may_discover or _was_looked_at(sought):
        return _nothing(sought)
    return _ready(
        attach_default(
            sought.kind.name,
            pins=sought.pins,
            settings=sought.settings,
            project=sought.project,
            models=sought.models,
        )
    )


DISCOVERED: tuple[Resolver, ...] = (announced, on_default_port)
"""The ways that look around, where no address was given."""


def _was_looked_at(sought: Sought) -> bool:
    """Tell whether the announced address has settled it: it is the default port's, or the guard refuses it."""
    if sought.announced is None:
        return False
    return bool(_refused(sought)) or sought.announced.is_at(default_url(sought.kind.name, sought.pins))


def _refused(sought: Sought) -> str:
    """Return why the guard refuses the announced address, in words; empty where it does not."""
    if sought.announced is None:
        return ""
    named = f"the {sought.kind.name} that {sought.announced.started_by} started"
    try:
        check_url(sought.settings, sought.announced.url, named=named)
    except GuardRefused as error:
        return error.message
    return ""


def _nothing(sought: Sought) -> Skipped:
    return Skipped(service=sought.kind.name)


def _ready(outcome: Endpoint | Skipped) -> Ready | Skipped:
    return Ready(endpoint=outcome) if isinstance(outcome, Endpoint) else outcome
