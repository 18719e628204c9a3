"""Run and test of this code as HTTP headers, by which a server of ours says in its records to what a call belongs."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ragbed.events import current_run, current_test
from ragbed.headers import RUN_HEADER, TEST_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK = ("localhost", "::1")
_AS_IT_IS = string.punctuation.replace("%", "") + " "
"""What a header holds as it stands: a test's id reads as pytest writes it."""


def run_headers(host: str | None) -> dict[str, str]:
    """Return the headers of a request, empty outside of a run and for another machine, which has no use for them.

    Args:
        host: Whom the request goes to, without a port.
    """
    if not host or not (host in _LOOPBACK or host.startswith("127.")):
        return {}
    told = {RUN_HEADER: current_run(), TEST_HEADER: current_test() or ""}
    return {name: quote(value, safe=_AS_IT_IS) for name, value in told.items() if value}


def told_in(headers: Mapping[str, str], name: str) -> str | None:
    """Return what a header of a request says; None where it is not there or empty."""
    return unquote(headers.get(name, "")) or None
