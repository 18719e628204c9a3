"""Version ranges: the form `>=18,<19`, as Python packages write it."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_LEADING_VERSION = re.compile(r"v?(\d+(?:\.\d+)*(?:-?(?:dev|rc\d*|alpha\d*|beta\d*))?)")


def parse_range(text: str) -> SpecifierSet:
    """Return the range that `text` names.

    Raises:
        ValueError: The text is not a range, or is empty and would accept anything.

    Source: version specifiers, PEP 440.
    """
    try:
        parsed = SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError("a version range such as '>=18,<19'") from None
    if not text.strip():
        raise ValueError("a version range such as '>=18,<19': an empty one would accept every version")
    return parsed


def parse_exact(text: str) -> Version:
    """Return the version that the whole of `text` is, as a pin file must write it.

    Raises:
        ValueError: It is not a version, or more than one.
    """
    try:
        return Version(text)
    except InvalidVersion:
        raise ValueError("one exact version such as '18.6'") from None


def parse_version(text: str) -> Version:
    """Return the version at the start of what a server says of itself.

    Args:
        text: For example `18.6`, `v1.18.2`, `15.18 (Debian 15.18-0+deb12u1)` or `1.20.1-dev`.

    Raises:
        ValueError: No version stands there.
    """
    match = _LEADING_VERSION.match(text.strip())
    try:
        return Version(match[1] if match else text)
    except InvalidVersion:
        raise ValueError(f"{text!r} does not start with a version") from None


def satisfies(version: str, accepted: str) -> bool:
    """Tell whether a server's version lies in a range; development builds count.

    Args:
        version: What the server says of itself.
        accepted: The range.
    """
    try:
        parsed = parse_version(version)
    except ValueError:
        return False
    return parse_range(accepted).contains(parsed, prereleases=True)
