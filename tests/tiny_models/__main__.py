"""Print the path of the real Ollama of our tests, building it where it is not there yet. Run by `scripts/ollama`."""

from __future__ import annotations

import argparse
import sys

from tiny_models.ollama_build import build
from tiny_models.program import print_path

argparse.ArgumentParser(prog="scripts/ollama", description=__doc__).parse_args()
sys.exit(print_path(build, "real Ollama"))
