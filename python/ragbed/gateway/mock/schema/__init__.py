"""A value of a JSON schema: what the mock answers where structure is asked for.

Values are written from what a schema says (`writing`), and each is checked against the whole schema (`checking`) before
it is given: an answer is a value of its schema, or the request is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ragbed.gateway.engine import NoAnswerError
from ragbed.gateway.mock.schema.budget import Budget
from ragbed.gateway.mock.schema.checking import Checker
from ragbed.gateway.mock.schema.references import References
from ragbed.gateway.mock.schema.writing import MOST_REPEATS, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID = "invalid JSON schema in format"
"""Ollama's words for a schema of which it can make no grammar."""

__all__ = ["INVALID", "example"]


def example(schema: Mapping[str, Any], text: str) -> Any:
    """Return a value of a JSON schema, the same for the same schema and text.

    Args:
        schema: With its `$defs`, where it refers to any. What is of a wrong type counts as not said.
        text: What strings hold, as far as their length, pattern and format let them.

    Returns:
        Objects with the properties that are required, with all where the schema does not say; arrays as short as
        they may be; the first of several choices that comes to an end; 0, or the least number allowed.

    Raises:
        NoAnswerError: A `$ref` leads nowhere, a type is unknown, or no value was found within the limits.
    """
    budget = Budget()
    references = References(schema)
    try:
        references.require()
        checker = Checker(references, budget)
        for repeats in range(MOST_REPEATS + 1):
            writer = Writer(references, checker, budget, text, repeats)
            for value in writer.values((dict(schema),)):
                return value
            if not writer.was_limited:
                break
    except RecursionError as error:
        raise NoAnswerError(f"{INVALID}: its parts lie too deep inside each other") from error
    except NoAnswerError as error:
        raise NoAnswerError(f"{INVALID}{': ' * bool(error.message)}{error.message}") from error
    shown = json.dumps(schema)
    raise NoAnswerError(f"{INVALID}: ragbed's mock LLM found no value of {shown[:200]}")
