"""Ask a live Ollama for a fingerprint: what its model makes of the canaries, and what it runs on."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing
from ragbed.models.fingerprint.canaries import load_canaries
from ragbed.models.fingerprint.record import Fingerprint, Setup
from ragbed.models.fingerprint.stored_vector import StoredVector
from ragbed.models.live_server import LiveServer
from ragbed.pins import fetch_command, with_tag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.llm import OllamaSession
    from ragbed.models.live_server import LoadedModel

GREEDY = {"temperature": 0, "seed": 42, "num_predict": 24}
"""How prompts are answered: the likeliest word each time, so that the seed should not matter, and is fixed."""

_ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64"}


def measure(session: OllamaSession, model: str, *, apart: bool = False) -> Fingerprint:
    """Return the fingerprint that a server gives for a model now.

    Args:
        session: Of a real Ollama; the mock's vectors are its own.
        model: Name with or without tag.
        apart: Embed each text by itself, not all in one request; both give the same vectors where nothing is wrong.

    Raises:
        ServiceMissing: It does not answer, or has no such model.
        EmbeddingFailed, AnswerFailed: The model refused.
    """
    server = LiveServer(session.url)
    identity = server.identity()
    name = with_tag(model)
    if name not in identity.digests:
        raise ServiceMissing(
            f"the Ollama at {server.shown} has no {name}",
            details=[f"it has: {', '.join(identity.models) or 'no models'}"],
            hint=fetch_command([name]),
        )
    canaries = load_canaries()
    embeds = "embedding" in server.show(name).capabilities
    marks = _marks(session, name, canaries.texts, apart=apart) if embeds else {}
    answers = {} if embeds else _answers(session, name, canaries.prompts)
    setup = Setup(
        model=name,
        digest=identity.digests[name],
        runtime=f"{identity.product} {identity.version}",
        backend=_backend(server.loaded().get(name)),
    )
    return Fingerprint(
        setup=setup,
        purpose="embedding" if embeds else "chat",
        canaries=canaries.key("embedding" if embeds else "chat"),
        marks=marks,
        answers=answers,
    )


def _marks(
    session: OllamaSession, model: str, texts: Mapping[str, str], *, apart: bool
) -> dict[str, StoredVector]:
    requests = [[text] for text in texts.values()] if apart else [list(texts.values())]
    vectors = [vector for request in requests for vector in session.embed(model, request)]
    return {name: StoredVector.of(vector) for name, vector in zip(texts, vectors, strict=True)}


def _answers(session: OllamaSession, model: str, prompts: Mapping[str, str]) -> dict[str, str]:
    return {
        name: session.chat(model, [{"role": "user", "content": prompt}], options=GREEDY).text
        for name, prompt in prompts.items()
    }


def _backend(loaded: LoadedModel | None) -> str:
    """Return what computes, as far as it can be told: kind of processor, and the machine of this process.

    Ollama tells how much of a model lies on a graphics card and nothing of the processor. It answers on loopback, so
    the machine is ours. The instructions it uses (AVX2, AVX-512) move vectors by less than the tolerance.
    """
    machine = platform.machine().lower()
    where = f"{sys.platform}-{_ARCHITECTURES.get(machine, machine)}"
    if loaded is None or not loaded.gpu_bytes:
        return f"cpu {where}"
    return f"{'gpu' if loaded.gpu_bytes >= loaded.size_bytes else 'cpu+gpu'} {where}"
