"""Find the function for a method and a path, in one look per part of the path however many calls there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Routes(Generic[T]):
    """Paths with names in braces, each with a target per method.

    Args:
        routes: Method, path and target. A fixed part goes before a name in braces.
    """

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._top: _Node[T] = _Node()
        for method, path, target in routes:
            node, names = self._top, []
            for part in path.strip("/").split("/"):
                if part.startswith("{"):
                    names.append(part.strip("{}"))
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.fixed.setdefault(part, _Node())
            node.targets[method] = (target, tuple(names))

    def find(self, method: str, path: str) -> tuple[T, dict[str, str]] | None:
        """Return the target and the names' values; None when there is no such call."""
        return self._top.find(method, normal(path)[1:].split("/"), 0, [])


def normal(path: str) -> str:
    """Return a path without the slashes that a real server overlooks: at its end, and one behind another."""
    return "/" + "/".join(filter(None, path.split("/")))


class _Node(Generic[T]):
    """What may follow a path's beginning."""

    __slots__ = ("any", "fixed", "targets")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node[T]] = {}
        self.any: _Node[T] | None = None
        self.targets: dict[str, tuple[T, tuple[str, ...]]] = {}

    def find(
        self, method: str, parts: list[str], at: int, values: list[str]
    ) -> tuple[T, dict[str, str]] | None:
        if at == len(parts):
            if method not in self.targets:
                return None
            target, names = self.targets[method]
            return target, dict(zip(names, values, strict=True))
        part = parts[at]
        if part in self.fixed and (match := self.fixed[part].find(method, parts, at + 1, values)):
            return match
        if self.any is None or not part:
            return None
        return self.any.find(method, parts, at + 1, [*values, part])
