"""The stages that bring the services up: guard, stack, parity, fingerprint, migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed, DriftError, UsageError
from ragbed.guard import refuse_writes
from ragbed.pins import is_exact, load_stack_pins
from ragbed.settings import definitions as known
from ragbed.smoke.plan import Seen, named
from ragbed.smoke.retention import namespace_of
from ragbed.stack import num_thread, running_stack
from ragbed.stack.parity import drifting

if TYPE_CHECKING:
    from ragbed.data import Question
    from ragbed.pipeline import Pipeline
    from ragbed.smoke.plan import SmokePlan
    from ragbed.stack import Stack


def guard(plan: SmokePlan) -> Seen[list[Question]]:
    """Nothing is named like production, and the corpus is there, before any connection."""
    refuse_writes(plan.settings, command="ragbed smoke")
    if not plan.corpus_folder.is_dir():
        raise UsageError(
            f"the corpus {plan.corpus_folder} is not a folder", hint="give --corpus a folder of documents"
        )
    questions = plan.questions()
    line = f"tier {plan.settings.tier.name}, nothing named like production, {len(questions)} golden questions"
    return Seen(line=line, value=questions)


def stack(plan: SmokePlan) -> Seen[Stack]:
    """Every service answers; none is a substitute where that was asked for."""
    started = plan.cleanup.enter_context(
        running_stack(
            plan.settings,
            folder=plan.folder,
            caller=plan.options.caller,
            keep_up=plan.options.keep,
            events=plan.events,
        )
    )
    line = f"{_whose(started)}: " + ", ".join(named(endpoint) for endpoint in started.endpoints.values())
    return Seen(
        line=line, value=started, failure=_refused_substitutes(started) if plan.options.require_live else None
    )


def _refused_substitutes(stack: Stack) -> CheckFailed | None:
    """Return the failure of a run that wants real servers only; None where they are all real."""
    substitutes = [endpoint for endpoint in stack.endpoints.values() if not endpoint.real]
    if not substitutes:
        return None
    names = " and ".join(f"{endpoint.service} is {endpoint.product}" for endpoint in substitutes)
    return CheckFailed(
        f"--require-live, and {names}",
        details=[f"{endpoint.service}: {endpoint.origin}" for endpoint in substitutes],
        hint="put the real servers on PATH, or name them: QDRANT_URL, OLLAMA_HOST",
    )


def _whose(stack: Stack) -> str:
    if stack.shared:
        return "the running stack of `ragbed up`"
    started = [one for one in stack.endpoints.values() if one.launcher != "attach"]
    return "a stack of this run" if started else "services that run already"


def parity(stack: Stack) -> Seen[None]:
    """Versions are in range, and exactly the pinned ones where a wheel was started."""
    pins = load_stack_pins()
    if differing := list(drifting(stack.endpoints, pins).values()):
        raise DriftError(
            differing[0], details=differing[1:], hint="reinstall from the lock, or change stack.toml"
        )
    exact = sum(is_exact(pins[name], endpoint) for name, endpoint in stack.endpoints.items())
    return Seen(line=f"{len(stack.endpoints)} versions in range, {exact} exactly as pinned", value=None)


def fingerprint(plan: SmokePlan, stack: Stack) -> Seen[None]:
    """The embedding model gives the recorded vectors; another greedy answer of the chat model is only said."""
    server = stack["ollama"]
    if not server.real:
        return Seen(line=f"left out: {server.product} has no model behind its vectors", value=None)
    from ragbed.models.fingerprint import check_fingerprint  # noqa: PLC0415 - the mock needs none of it

    verdicts = [
        check_fingerprint(
            server.url,
            plan.settings[model],
            settings=plan.settings,
            num_thread=num_thread(plan.settings, server),
            events=plan.events,
        )
        for model in (known.EMBEDDING_MODEL, known.LLM_MODEL)
    ]
    for verdict in verdicts:
        if verdict.fails:
            raise DriftError(verdict.line, details=verdict.details, hint=verdict.hint)
    return Seen(line="; ".join(verdict.line for verdict in verdicts), value=None)


def migrate(plan: SmokePlan, stack: Stack) -> Seen[Pipeline]:
    """The schema comes up, and a second migration changes nothing."""
    from ragbed.pipeline import open_pipeline  # noqa: PLC0415 - imported while the stack comes up
    from ragbed.pipeline.on_stack import pipeline_config  # noqa: PLC0415 - as above

    config = pipeline_config(stack, plan.settings, folder=plan.folder, namespace=namespace_of(plan.id))
    pipeline = plan.cleanup.enter_context(open_pipeline(config, events=plan.events))
    if stack.outlives_us and not plan.options.keep:
        # The report names the gap pages: they go with it.
        plan.cleanup.callback(pipeline.drop, keep_pages=True)
    revision = pipeline.migrate()
    again = pipeline.migrate()
    if again != revision:
        raise CheckFailed(f"the schema went to {revision}, and by a second migration to {again}")
    return Seen(line=f"revision {revision}, namespace {config.namespace}", value=pipeline)
