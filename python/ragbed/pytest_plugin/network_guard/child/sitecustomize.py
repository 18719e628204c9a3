"""Imported by Python as it starts in a child of a test: the rules of the test hold there too."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

_HERE = Path(__file__).parent


def _guard(rules_file: Path, log: str, *, only_loopback: bool) -> None:
    spec = importlib.util.spec_from_file_location("_ragbed_network_rules", rules_file)
    if spec is None or spec.loader is None:
        return
    rules = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rules)

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if told := rules.refusal(event, arguments, only_loopback=only_loopback):
            with open(log, "a", encoding="utf-8") as file:  # noqa: PTH123 - no more imports in a stranger's process
                file.write(f"{told}, in the child {os.getpid()}: {' '.join(sys.argv)[:200]!r}\n")
            raise ConnectionRefusedError(f"ragbed's network guard refused it: {told}")

    sys.addaudithook(refuse)


def _next_one() -> None:
    """Run the sitecustomize that this one hides, where there is one."""
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE.resolve()]
    sys.modules.pop("sitecustomize", None)
    if importlib.util.find_spec("sitecustomize") is not None:
        importlib.import_module("sitecustomize")


if _LOG := os.environ.get("RAGBED_NETWORK_LOG"):
    _guard(_HERE.parent / "rules.py", _LOG, only_loopback=os.environ.get("RAGBED_NETWORK_LOOPBACK") == "1")
_next_one()
