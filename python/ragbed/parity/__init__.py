"""`ragbed parity`: the same suites on every launcher. It imports nothing: the command line asks for names alone."""

LAUNCHERS = ("process", "attach")
"""Those that are compared, in the order that the matrix shows them."""

SUITE_NAMES = ("vector-store", "llm", "postgres", "redis", "golden", "smoke")
"""In the order that they run."""
