"""A service of others, the line that must tell what is wrong with it, and how both are put together."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

from ragbed.errors import RagbedError
from ragbed.guard import redacted
from ragbed.pins import load_stack_pins
from ragbed.settings import resolve_settings
from ragbed.stack.attaching import attach_found, attach_given
from ragbed.stack.external_services import Announcement
from ragbed.stack.skipped_services import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from others import Others

    from ragbed.stack.endpoint import Endpoint
    from ragbed.state import ProjectIdentity

UNMARKED = "does not carry ragbed's marker"
_FORMS = {
    "unusable": "{service} at {shown}, which THE_URL names, cannot be used: {seen}",
    "other": "what answers at {shown}, which THE_URL names, is not {service}: {seen}",
    "silent": "{service} does not answer at {shown}, which THE_URL names: {seen}",
    "marker": "{service} at {shown}, which THE_URL names, {seen}",
    "range": "{service} at {shown}, which THE_URL names, is {seen}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way in which a service is of no use.

    Attributes:
        name: Of the case.
        url: Returns the address; starts the server where it does not run yet.
        seen: What the line ends with.
        hint: What the hint says, or a part of it.
        form: How the line begins.
        server: Returns what has a census; None for a listener that holds nothing.
        found: What is said where the address was not given, or a part of it; empty for the same.
        environ: Variables beside the address.
        models: What an Ollama must have.
    """

    name: str
    url: Callable[[Others], str]
    seen: str
    hint: str
    form: Literal["unusable", "other", "silent", "marker", "range"] = "unusable"
    server: Callable[[Others], Any] | None = None
    found: str = ""
    environ: Mapping[str, str] | None = None
    models: Sequence[str] = ()

    def line(self, service: str, url: str) -> str:
        """Return the whole line for an address that was given by THE_URL."""
        return _FORMS[self.form].format(service=service, shown=redacted(url), seen=self.seen)


def table(*cases: Case) -> list[Any]:
    """Return the cases as parameters of a test."""
    return [pytest.param(case, id=case.name) for case in cases]


@contextmanager
def unchanged(case: Case, others: Others) -> Iterator[None]:
    """Compare what is in the case's server before and after."""
    if case.server is None:
        yield
        return
    server = case.server(others)
    before = server.census()
    yield
    assert server.census() == before


def given(
    service: str,
    url: str,
    folder: Path,
    *,
    project: ProjectIdentity | None = None,
    models: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Endpoint:
    """Attach to an address that THE_URL holds."""
    own = {f"{service.upper()}_URL": url, **environ} if environ else {}
    return attach_given(
        service,
        url,
        named="THE_URL",
        pins=load_stack_pins()[service],
        settings=resolve_settings(folder=folder, environ=own),
        project=project,
        models=models,
    )


def found(
    service: str,
    url: str,
    folder: Path,
    *,
    announced: bool,
    project: ProjectIdentity | None = None,
    models: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Endpoint | Skipped:
    """Attach to an address where a service was announced, or may answer because it is the usual one."""
    own = {f"{service.upper()}_URL": url, **environ} if environ else {}
    return attach_found(
        service,
        url,
        pins=load_stack_pins()[service],
        settings=resolve_settings(folder=folder, environ=own),
        project=project,
        models=models,
        announced=Announcement(url=url, started_by="devenv") if announced else None,
    )


def check_given(service: str, case: Case, others: Others, folder: Path) -> None:
    """Attach by URL: one line names the cause, the hint says what to type, no secret is shown, nothing changes."""
    url = case.url(others)
    with unchanged(case, others), pytest.raises(RagbedError) as caught:
        given(service, url, folder, models=case.models, environ=case.environ)

    assert caught.value.message == case.line(service, url)
    assert case.hint in caught.value.hint
    assert "sesame" not in caught.value.render()
    assert "\n" not in caught.value.message + caught.value.hint


def check_found(service: str, case: Case, others: Others, folder: Path, *, announced: bool) -> None:
    """Come by: the service is passed over in one line that names the cause, and nothing changes."""
    url = case.url(others)
    with unchanged(case, others):
        skipped = found(service, url, folder, announced=announced, models=case.models, environ=case.environ)

    assert isinstance(skipped, Skipped)
    assert (case.found or case.seen) in skipped.note
    assert len(skipped.reasons) == 1
    assert "sesame" not in skipped.note
    assert "\n" not in skipped.note
