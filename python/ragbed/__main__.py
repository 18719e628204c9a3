"""`python -m ragbed` is the `ragbed` command."""

from ragbed.cli import main

main()
