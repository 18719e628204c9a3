"""`python -m ragbed` is the `ragbed` command."""

import sys

try:
    from ragbed.cli import main

    main()
except KeyboardInterrupt:  # while modules were still being read: `main` tells of later ones itself
    sys.stderr.write("ragbed: interrupted\n")
    sys.exit(130)
