"""About how many tokens a text has, where the model's own tokenizer is not at hand."""

from __future__ import annotations

import re
from functools import lru_cache

_RUN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_LETTERS_PER_TOKEN = 6
_FIRST_SIGN = "\u2e80"  # from here on scripts write without spaces: a token per sign


def estimate_tokens(text: str) -> int:
    """Return about how many word pieces an embedding model makes of a text; rather too many than too few.

    Args:
        text: Any text. Punctuation and ideographs count one each, words one per six letters, numbers
            one per two digits.
    """
    return sum(_run_tokens(run) for run in _RUN.findall(text))


@lru_cache(maxsize=20_000)
def _run_tokens(run: str) -> int:
    if run.isdigit():
        return (len(run) + 1) // 2
    signs = 0 if run.isascii() else sum(1 for letter in run if letter > _FIRST_SIGN)
    return signs + (len(run) - signs + _LETTERS_PER_TOKEN - 1) // _LETTERS_PER_TOKEN
