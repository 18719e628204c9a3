"""The `ragbed` command, also as `python -m ragbed`."""

import sys

from ragbed.garbage import collect_rarely


def run() -> None:
    """Run the command line; an interrupt while its modules are being read is told in a line, as later ones are."""
    collect_rarely()
    try:
        from ragbed.cli import main  # noqa: PLC0415 - what the line above is about

        main()
    except KeyboardInterrupt:
        sys.stderr.write("ragbed: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
