"""`ragbed parity`: the same suites on every launcher. It imports nothing: the command line asks for names alone."""

LAUNCHERS = ("process", "container", "attach")
"""Those that can be compared."""

SUITE_NAMES = ("vector-store", "llm", "postgres", "redis", "golden", "smoke")
"""In the order that they run."""
