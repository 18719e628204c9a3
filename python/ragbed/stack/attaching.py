"""The launcher `attach`: use what runs already, once it has proven what it is; never stop it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.errors import DriftError, GuardRefused, ServiceMissing, ServiceNotReady
from ragbed.guard import Identity, NotThere, Probe, Project, WrongService, check_url, redacted
from ragbed.guard.stores import why_refused
from ragbed.pins import DEVENV, Provenance, fetch_command, pinned_digests
from ragbed.stack.addresses import adopt_command, default_url, key_for, normalised
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.registry import kind_of
from ragbed.stack.skipped_services import Skipped
from ragbed.stack.unusable import cannot_use, why_skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.pins import Channel, ServicePins
    from ragbed.settings import Settings
    from ragbed.stack.external_services import Announcement
    from ragbed.stack.kinds import ServiceKind


def attach_given(
    service: str,
    url: str,
    *,
    named: str,
    pins: ServicePins,
    settings: Settings,
    project: Project | None,
    models: Sequence[str] = (),
    announced: Announcement | None = None,
) -> Endpoint:
    """Use the service whose URL was given, or fail: it is never replaced.

    Args:
        service: Which one.
        url: Its address.
        named: The variable or key that carries it, for messages.
        pins: What is accepted.
        settings: The resolved settings.
        project: Who wants to write there; None for a state folder without an identity.
        models: Models that an Ollama must have.
        announced: How the service was announced; None when it was not.

    Raises:
        ServiceMissing: Nothing answers there, it is something else, refuses us or our writes, is out of range, or
            lacks a model.
        GuardRefused: Its marker does not let this project in, or it is named like production.
        DriftError: A model is there, and has another digest than the pinned one.
    """
    kind = kind_of(service)
    check_url(settings, url, named=named, bare=kind.is_http)
    url = normalised(service, url, named=named)
    store = kind.client(url, api_key=key_for(kind, settings, url), timeout_s=5.0)
    shown = redacted(url)
    try:
        identity = store.identify()
        _require_range(service, identity, pins, named, shown)
        _require_models(identity, models, named)
        refused = why_refused(store.marker(), project) if kind.has_marker else ""
        if kind.has_marker and settings.tier.writes_allowed:
            store.require_writable()
    except (NotThere, WrongService) as error:
        raise cannot_use(service, shown, error, named=named, clause=f"which {named} names") from error
    if refused:
        raise GuardRefused(
            f"{service} at {shown}, which {named} names, {refused}",
            details=["a store that ragbed did not start is only written to once this project has adopted it"],
            hint=f"look at it and mark it: {adopt_command(url, named=named)}",
        )
    provenance = _provenance(identity, url, announced, named_by=named)
    return replace(_endpoint(service, url, identity, provenance), given=True)


def attach_default(
    service: str,
    *,
    pins: ServicePins,
    settings: Settings,
    project: Project | None,
    models: Sequence[str] = (),
) -> Endpoint | Skipped:
    """Use what answers on the service's default port, if it is right in every way; else say why not.

    Args:
        service: Which one.
        pins: What is accepted, and the port.
        settings: The resolved settings.
        project: Who wants to write there; None for a state folder without an identity.
        models: Models that an Ollama must have.
    """
    url = default_url(service, pins)
    return attach_found(service, url, pins=pins, settings=settings, project=project, models=models)


def attach_found(
    service: str,
    url: str,
    *,
    pins: ServicePins,
    settings: Settings,
    project: Project | None,
    models: Sequence[str],
    announced: Announcement | None = None,
) -> Endpoint | Skipped:
    """Use what answers at an address that was not given, if it is right in every way; else say why not.

    Args:
        service: Which one.
        url: Where it may answer.
        pins: What is accepted.
        settings: The resolved settings.
        project: Who wants to write there; None for a state folder without an identity.
        models: Models that an Ollama must have.
        announced: How the service was announced; without it a substitute is not used.
    """
    port = urlsplit(url).port or pins.port
    kind = kind_of(service)
    store = kind.client(url, api_key=key_for(kind, settings, url), timeout_s=1.0)
    if in_the_way := _in_the_way(kind, store, port):
        return in_the_way
    try:
        identity, reason = _examine(store, pins, models)
        refusal = None
        if not reason:
            refusal = _why_not_ours(kind, store, identity, project, announced=announced is not None)
        if not (reason or refusal) and kind.has_marker:
            store.require_writable()
    except (NotThere, WrongService) as error:
        return Skipped(service=service, reasons=(why_skipped(kind, port, error),))
    if reason or refusal:
        said = f"{identity.product} {identity.version} on port {port} {reason or refusal}"
        adoptable = refusal is not None and refusal.adoptable
        return Skipped(service=service, reasons=(said,), adoptable=adoptable)
    return _endpoint(service, url, identity, _provenance(identity, url, announced, port=port))


def _in_the_way(kind: ServiceKind, store: Probe, port: int) -> Skipped | None:
    """Return what does not speak the service's protocol on a port; without a reason where nothing listens."""
    try:
        store.pulse()
    except NotThere as error:
        reason = f"port {port} is held by something that does not answer ({error})"
        nothing = isinstance(error.__cause__, ConnectionRefusedError)
        return Skipped(service=kind.name, reasons=() if nothing else (reason,))
    except WrongService as error:
        return Skipped(service=kind.name, reasons=(why_skipped(kind, port, error),))
    return None


def _examine(store: Probe, pins: ServicePins, models: Sequence[str]) -> tuple[Identity, str]:
    """Return who answers and why it cannot be used; an empty reason when it can."""
    identity = store.identify()
    if not pins.accepts(identity.product, identity.version):
        return identity, f"is outside {pins.describe_range()}"
    if missing := _missing(identity, models):
        return identity, f"has no {' and no '.join(missing)}"
    if moved := _moved(identity, models):
        return identity, f"has other models than the pinned ones ({'; '.join(moved)})"
    return identity, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NotOurs:
    """Why a service that fits is left to the project that runs it.

    Attributes:
        reason: To follow its name.
        adoptable: Whether `ragbed adopt` would let this project in.
    """

    reason: str
    adoptable: bool = False

    def __str__(self) -> str:
        return f"{self.reason} (`ragbed adopt` lets it in)" if self.adoptable else self.reason


def _why_not_ours(
    kind: ServiceKind, store: Probe, identity: Identity, project: Project | None, *, announced: bool
) -> _NotOurs | None:
    """Return why a service that fits is left to the project that runs it; None where this project may use it."""
    marker = store.marker() if kind.has_marker else None
    let_in = bool(marker and project and marker.lets_in(project))
    if not (identity.real or announced or let_in):
        # Its answers are another project's: scripted rules, a folder of its own.
        names_it = f"is a substitute, which is used only where {kind.substitute_named_by} names it"
        return _NotOurs(reason=names_it)
    if let_in or not kind.has_marker:
        return None
    return _NotOurs(reason=why_refused(marker, project), adoptable=True)


def _require_range(service: str, identity: Identity, pins: ServicePins, named: str, shown: str) -> None:
    if not pins.accepts(identity.product, identity.version):
        raise ServiceNotReady(
            f"{service} at {shown}, which {named} names, is {identity.product} {identity.version}:"
            f" outside {pins.describe_range()}",
            hint=f"run a version in range, or unset {named} to let ragbed start one",
        )


def _require_models(identity: Identity, models: Sequence[str], named: str) -> None:
    if missing := _missing(identity, models):
        raise ServiceMissing(
            f"the Ollama that {named} names has no {' and no '.join(missing)}",
            details=[f"it has: {', '.join(identity.models) or 'no models'}"],
            hint=fetch_command(missing),
        )
    if moved := _moved(identity, models):
        raise DriftError(
            f"the Ollama that {named} names has other models than the pinned ones: {moved[0]}",
            details=moved[1:],
            hint=f"look closer by `ragbed models verify --url URL`, or unset {named} to let ragbed start one",
        )


def _missing(identity: Identity, models: Sequence[str]) -> list[str]:
    return [model for model in models if model not in identity.models]


def _moved(identity: Identity, models: Sequence[str]) -> list[str]:
    """Return a line per model whose digest is not the pinned one. The mock is exempt: its digests are its own."""
    if not identity.real or not identity.digests:
        return []
    pinned = pinned_digests()
    return [
        f"{model}: tag moved: has {_short(identity.digests[model])}, pinned {_short(pinned[model])}"
        for model in models
        if model in pinned and identity.digests.get(model, pinned[model]) != pinned[model]
    ]


def _short(digest: str) -> str:
    """Return a digest as Ollama shows it: twelve digits."""
    return digest.removeprefix("sha256:")[:12]


def _provenance(
    identity: Identity,
    url: str,
    announced: Announcement | None,
    *,
    named_by: str = "",
    port: int | None = None,
) -> Provenance:
    """Return what is known of a server that others started: devenv starts packages of Nix, and our substitutes."""
    started_by = announced.started_by if announced and announced.is_at(url) else ""
    channel: Channel = "nix" if started_by == DEVENV else "external"
    return Provenance(
        channel=channel if identity.real else "substitute",
        started_by=started_by,
        named_by=named_by,
        port=port,
    )


def _endpoint(service: str, url: str, identity: Identity, provenance: Provenance) -> Endpoint:
    return Endpoint(
        service=service,
        url=url,
        launcher="attach",
        product=identity.product,
        version=identity.version,
        real=identity.real,
        provenance=provenance,
    )
