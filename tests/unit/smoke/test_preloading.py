"""Libraries that are imported ahead of their stages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ragbed.smoke.preloading import READING, WRITING


@pytest.mark.parametrize("names", [READING, WRITING], ids=["reading", "writing"])
def test_what_is_preloaded_is_there(names: tuple[str, ...]) -> None:
    """A name that moved would be passed over in silence, and the stage would wait for its import again."""
    program = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_neither_questions_nor_ingests_need_the_client_of_qdrant() -> None:
    """It takes longer to import than a question takes to be answered."""
    program = (
        "import sys\nfrom ragbed.smoke.preloading import READING, WRITING, preload\n"
        "from ragbed.pipeline import Pipeline\n"
        "preload((*READING, *WRITING))\nsys.exit('qdrant_client' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
