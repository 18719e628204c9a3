"""The stages that bring the services up: guard, stack, parity, fingerprint, migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed, DriftError, UsageError
from ragbed.guard import refuse_writes
from ragbed.models.fingerprint import check_fingerprint
from ragbed.pins import load_stack_pins
from ragbed.pins.drift import comes_from_wheel, drift_of
from ragbed.pins.versions import parse_version
from ragbed.pipeline import open_pipeline
from ragbed.pipeline.on_stack import pipeline_config
from ragbed.settings import definitions as known
from ragbed.smoke.keeping import namespace_of
from ragbed.smoke.run import named
from ragbed.stack import num_thread, running_stack

if TYPE_CHECKING:
    from ragbed.smoke.run import Run
    from ragbed.stack import Endpoint, Stack


def guard(run: Run) -> str:
    """Nothing is named like production, and the corpus is there, before any connection."""
    refuse_writes(run.settings, command="ragbed smoke")
    if not run.corpus_folder.is_dir():
        raise UsageError(
            f"the corpus {run.corpus_folder} is no folder", hint="give --corpus a folder of documents"
        )
    questions = run.questions()
    return f"tier {run.settings.tier.name}, nothing named like production, {len(questions)} golden questions"


def stack(run: Run) -> str:
    """Every service answers; none is a substitute where that was asked for."""
    run.stack = run.cleanup.enter_context(
        running_stack(
            run.settings,
            folder=run.folder,
            caller=run.options.caller,
            keep_up=run.options.keep,
            progress=lambda endpoint, _: run.say(f"{endpoint.product} {endpoint.version} is ready"),
            say=run.say,
        )
    )
    substitutes = [endpoint for endpoint in run.stack.endpoints.values() if not endpoint.real]
    if run.options.require_live and substitutes:
        names = " and ".join(f"{endpoint.service} is {endpoint.product}" for endpoint in substitutes)
        raise CheckFailed(
            f"--require-live, and {names}",
            details=[f"{endpoint.service}: {endpoint.origin}" for endpoint in substitutes],
            hint="put the real servers on PATH, or name them: QDRANT_URL, OLLAMA_HOST",
        )
    return f"{_whose(run.stack)}: " + ", ".join(named(endpoint) for endpoint in run.stack.endpoints.values())


def _whose(stack: Stack) -> str:
    if stack.shared:
        return "the running stack of `ragbed up`"
    started = [one for one in stack.endpoints.values() if one.launcher != "attach"]
    return "a stack of this run" if started else "services that run already"


def parity(run: Run) -> str:
    """Versions are in range, and exactly the pinned ones where a wheel was started."""
    pins = load_stack_pins()
    drift = []
    exact = 0
    for name, endpoint in run.up.endpoints.items():
        started = endpoint.launcher == "process"
        differs = drift_of(
            pins[name],
            product=endpoint.product,
            version=endpoint.version,
            origin=endpoint.origin,
            started=started,
        )
        if differs:
            drift.append(f"{named(endpoint)} {differs}")
        elif started and comes_from_wheel(pins[name], endpoint.origin):
            exact += 1
        elif _is_of_nix(endpoint):
            exact += parse_version(endpoint.version) == parse_version(pins[name].channels.nix.version)
    if drift:
        raise DriftError(drift[0], details=drift[1:], hint="reinstall from the lock, or change stack.toml")
    return f"{len(run.up.endpoints)} versions in range, {exact} exactly as pinned"


def _is_of_nix(endpoint: Endpoint) -> bool:
    """Tell whether a server is a package of Nix: another project's may be in range and not the pinned one."""
    return endpoint.origin.startswith("/nix/store/") or endpoint.started_by == "devenv"


def fingerprint(run: Run) -> str:
    """The embedding model gives the recorded vectors; another greedy answer of the chat model is only said."""
    server = run.up["ollama"]
    if not server.real:
        return f"left out: {server.product} has no model behind its vectors"
    verdicts = [
        check_fingerprint(
            server.url,
            run.settings[model],
            settings=run.settings,
            num_thread=num_thread(run.settings, server),
            loading=lambda load: run.say(load.line),
        )
        for model in (known.EMBEDDING_MODEL, known.LLM_MODEL)
    ]
    for verdict in verdicts:
        if verdict.fails:
            raise DriftError(verdict.line, details=verdict.details, hint=verdict.hint)
    return "; ".join(verdict.line for verdict in verdicts)


def migrate(run: Run) -> str:
    """The schema comes up, and a second migration changes nothing."""
    run.config = pipeline_config(run.up, run.settings, folder=run.folder, namespace=namespace_of(run.id))
    run.pipeline = run.cleanup.enter_context(
        open_pipeline(run.config, loading=lambda loading: run.say(loading.line))
    )
    if run.up.outlives_us and not run.options.keep:
        # The report names the gap pages: they go with it.
        run.cleanup.callback(run.pipeline.drop, keep_pages=True)
    revision = run.pipeline.migrate()
    again = run.pipeline.migrate()
    if again != revision:
        raise CheckFailed(f"the schema went to {revision}, and by a second migration to {again}")
    return f"revision {revision}, namespace {run.config.namespace}"
