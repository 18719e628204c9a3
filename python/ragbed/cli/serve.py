"""`ragbed serve`: the reference pipeline over HTTP, on the stack that is up."""

from __future__ import annotations

import click


@click.command(
    epilog="Example: ragbed up -d && ragbed ingest docs/ && ragbed serve --port 3000\n\n"
    'curl -d \'{"question": "Why does Postgres refuse to start as root?"}\' localhost:3000/api/chat'
)
@click.option("--port", type=int, help="TCP port; 0 takes a free one. [default: the app's in stack.toml]")
@click.option(
    "--namespace", default="default", show_default=True, help="Which collection of documents; a-z, 0-9 and _."
)
def serve(*, port: int | None, namespace: str) -> None:
    """Serve the RAG API on 127.0.0.1 until interrupted; prints one line once it answers.

    \b
    GET  /health           200 while every service behind it answers, else 503 and which does not
    POST /api/retrieve     the best passages for {"question": …, "top_k": …, "filters": {…}}, and the gap
    POST /api/v1/retrieve  the same
    POST /api/chat         an answer with citations for {"question": …, "filters": {…}}; saves a gap
    GET  /api/gaps         what was asked and is not covered
    GET  /metrics          counters, as Prometheus reads them
    """
    from ragbed.asgi import run_server
    from ragbed.cli.pipeline import running_config
    from ragbed.pins import load_stack_pins
    from ragbed.server import PipelinePool, create_app, refusal

    if port is None:
        port = load_stack_pins().app.port
    with running_config("ragbed serve", namespace) as (config, stack):
        pool = PipelinePool(config)
        run_server(
            create_app(pool, stack),
            name="ragbed.server",
            port=port,
            refusal=refusal,
            on_stop=pool.close,
            grace_s=1.0,
        )
