"""Which models have been used and not been unloaded, as Ollama lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ragbed.gateway.engine import Delta, Engine


class LoadedModels:
    """The names of the loaded models, in the order of their first use.

    Args:
        engine: Knows the models.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._names: dict[str, None] = {}  # a set that keeps its order

    def __iter__(self) -> Iterator[str]:
        """Yield their names, with tags."""
        return iter(tuple(self._names))

    def add(self, name: str) -> None:
        """Note that a model has been used; raise ModelNotFoundError."""
        self._names[self._engine.model(name).name] = None

    def remove(self, name: str) -> None:
        """Unload a model, loaded or not; raise ModelNotFoundError."""
        self._names.pop(self._engine.model(name).name, None)

    def while_answering(
        self, name: str, deltas: AsyncIterator[Delta], *, unload: bool
    ) -> AsyncIterator[Delta]:
        """Note that a model answers.

        Args:
            name: Of the model.
            deltas: Its answer.
            unload: Whether to unload it behind the answer, also where the client leaves before its end.

        Returns:
            The answer.
        """
        self.add(name)
        return self._until_unloaded(name, deltas) if unload else deltas

    async def _until_unloaded(self, name: str, deltas: AsyncIterator[Delta]) -> AsyncIterator[Delta]:
        try:
            async for delta in deltas:
                yield delta
        finally:
            self.remove(name)
