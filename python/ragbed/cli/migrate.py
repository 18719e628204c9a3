"""`ragbed migrate`: bring the pipeline's schema up on the stack that is up."""

from __future__ import annotations

import click


@click.command(epilog="Example: ragbed up -d && ragbed migrate")
@click.option(
    "--namespace", default="default", show_default=True, help="Which collection of documents; a-z, 0-9 and _."
)
@click.option("--json", "as_json", is_flag=True, help="Print the revision as JSON.")
def migrate(*, namespace: str, as_json: bool) -> None:
    """Bring the database's schema to the newest revision; a schema that has it is left as it is."""
    from ragbed.cli.output import show_json
    from ragbed.cli.pipeline import running_config
    from ragbed.pipeline import open_pipeline

    with running_config("ragbed migrate", namespace) as (config, _), open_pipeline(config) as pipeline:
        revision = pipeline.migrate()
    if as_json:
        show_json({"namespace": namespace, "revision": revision})
    else:
        click.echo(f"the schema of {namespace} is at {revision}")
