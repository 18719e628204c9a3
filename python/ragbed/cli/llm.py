"""`ragbed llm`: the mock LLM."""

from __future__ import annotations

import click


@click.group(epilog="Example: ragbed llm serve --port 11434")
def llm() -> None:
    """Serve the mock LLM."""


@llm.command(epilog="Example: ragbed llm serve --port 11434")
@click.option("--port", default=0, show_default="a free one", help="Loopback port.")
def serve(port: int) -> None:
    """Serve the mock LLM on Ollama's wire until interrupted."""
    from ragbed.cli.project import project_settings
    from ragbed.gateway.server import serve as serve_gateway

    project_settings()  # who may call it
    serve_gateway(port=port)
