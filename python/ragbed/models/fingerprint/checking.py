"""Check a live Ollama's model against what was recorded, or record it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed, UsageError
from ragbed.events import SILENT
from ragbed.llm import ClientPolicy, OllamaSession
from ragbed.models.fingerprint.comparing import compare
from ragbed.models.fingerprint.file import FingerprintFile, load_fingerprints
from ragbed.models.fingerprint.measuring import measure
from ragbed.models.fingerprint.verdict import Verdict
from ragbed.models.live_server import LiveServer
from ragbed.pins import with_tag
from ragbed.settings import resolve_settings
from ragbed.stack import num_thread_at, project_folder

if TYPE_CHECKING:
    from ragbed.events import EventSink
    from ragbed.settings import Settings


def check_fingerprint(
    url: str,
    model: str,
    *,
    known: FingerprintFile | None = None,
    settings: Settings | None = None,
    num_thread: int | None = None,
    events: EventSink = SILENT,
) -> Verdict:
    """Return whether a live Ollama's model gives what was recorded.

    Args:
        url: Where it answers. A mock is named and not asked.
        model: Name with or without tag.
        known: What was recorded; None reads the file beside the lock in force.
        settings: Time limits and threads; None resolves those in force.
        num_thread: What the pipeline asks this server for; None finds it, for a server of the stack that is up.
        events: Told how a load goes.

    Raises:
        ServiceMissing: It does not answer, or has no such model.
        EmbeddingFailed, AnswerFailed: The model refused.
        PinFileError: The recorded fingerprints are damaged.
    """
    known = load_fingerprints() if known is None else known
    product = LiveServer(url).product()
    if product != "ollama":
        line = f"{with_tag(model)}: left out, {product} answers and its vectors are its own"
        return Verdict(kind="unknown", model=with_tag(model), line=line)
    with _session(url, settings, num_thread, events) as session:
        return compare(measure(session, model), known)


def record_fingerprint(
    url: str,
    model: str,
    *,
    known: FingerprintFile,
    settings: Settings | None = None,
    events: EventSink = SILENT,
) -> tuple[FingerprintFile, Verdict]:
    """Return the recorded fingerprints with the model's own, taken twice, and what they said of it before.

    Args:
        url: Where a real Ollama answers.
        model: Name with or without tag.
        known: What was recorded; writing it is the caller's.
        settings: Time limits and threads; None resolves those in force.
        events: Told how a load goes.

    Raises:
        UsageError: A mock answers.
        CheckFailed: The model does not give the same twice: there is nothing to record.
        ServiceMissing: It does not answer, or has no such model.
        EmbeddingFailed, AnswerFailed: The model refused.
    """
    product = LiveServer(url).product()
    if product != "ollama":
        raise UsageError(
            f"{product} answers at {LiveServer(url).shown}: there is no model to take a fingerprint of",
            hint="give --url of a real Ollama",
        )
    with _session(url, settings, None, events) as session:
        seen = measure(session, model)
        again = measure(session, model, apart=True)
    steady = compare(again, FingerprintFile(path=known.path, fingerprints=(seen,)))
    if steady.kind != "same":
        raise CheckFailed(
            f"{seen.setup.model} does not give the same twice: {steady.line}", details=steady.details
        )
    return known.recorded(seen), compare(seen, known)


def _session(
    url: str,
    settings: Settings | None,
    num_thread: int | None,
    events: EventSink,
) -> OllamaSession:
    """Open a session as the pipeline has it: with other options Ollama would load the model anew."""
    settings = settings or resolve_settings(folder=project_folder())
    threads = num_thread_at(settings, url) if num_thread is None else num_thread
    return OllamaSession(url, ClientPolicy.of(settings, num_thread=threads), events=events)
