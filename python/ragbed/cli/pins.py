"""`ragbed pins`: what is pinned."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: ragbed pins --json | jq .postgres.channels.image.digest")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.option("--file", type=click.Path(path_type=Path), help="Another pin file than the one in force.")
def pins(*, as_json: bool, file: Path | None) -> None:
    """Show the pinned versions, ports and digests; a wrong pin file is refused with the key at fault."""
    from dataclasses import asdict

    from ragbed.cli.output import show_json, show_services
    from ragbed.pins import load_stack_pins

    loaded = load_stack_pins(file)
    if as_json:
        show_json({name: asdict(service) for name, service in loaded.services.items()})
        return
    rows = []
    blocks: dict[str, list[tuple[str, str]]] = {}
    for name, service in loaded.services.items():
        channels = asdict(service.channels)
        blocks[name] = [("accepted", service.describe_range()), ("port", str(service.port))]
        for channel, values in channels.items():
            if values:
                what = " ".join(
                    str(value) for key, value in values.items() if key not in {"version", "digest"}
                )
                digest = values.get("digest", "")[:19]
                blocks[name].append((channel, " ".join(filter(None, (values["version"], what, digest)))))
                rows.append(
                    (
                        name,
                        service.describe_range(),
                        str(service.port),
                        channel,
                        values["version"],
                        what,
                        digest,
                    )
                )
    show_services(["service", "accepted", "port", "channel", "version", "what", "digest"], rows, blocks)
    click.echo(f"from {loaded.path}")
