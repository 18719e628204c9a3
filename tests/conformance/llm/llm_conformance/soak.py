"""Judge thousands of bodies by Go, and thousands of answers to schemas by jsonschema: `scripts/soak-llm`."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

from llm_conformance.bodies import generated
from llm_conformance.go_bodies import differences
from ragbed.errors import ServiceMissing
from tiny_models.go_judge import build
from tiny_models.json_schemas import answers

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 20


def main(arguments: Sequence[str]) -> int:
    """Run both, print what differs, and return the exit code."""
    bodies, schemas, seed = (*map(int, arguments), *(10_000, 3_000, 1)[len(arguments) :])
    try:
        different = differences(build(), generated(seed, bodies))
    except ServiceMissing as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    print(f"{bodies} bodies: {bodies - len(different)} judged as by Go, {len(different)} otherwise")
    outcome = answers(seed, schemas)
    print(
        f"{schemas} schemas: {outcome.valid} answers validate, {len(outcome.invalid)} do not, "
        f"{len(outcome.refused)} were refused"
    )
    for line in islice([*different, *outcome.invalid, *outcome.refused], _SHOWN):
        print(f"  {line}")
    return 1 if different or outcome.invalid else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
