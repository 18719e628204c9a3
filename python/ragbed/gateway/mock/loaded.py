"""Which models have been used and not been unloaded."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ragbed.gateway.engine import Delta, Model


class LoadedModels:
    """The loaded models, in the order of their first use."""

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}

    def models(self) -> tuple[Model, ...]:
        """Return them."""
        return tuple(self._models.values())

    def add(self, model: Model) -> None:
        """Note that a model has been used."""
        self._models[model.name] = model

    def remove(self, model: Model) -> None:
        """Unload a model, loaded or not."""
        self._models.pop(model.name, None)

    async def until_unloaded(
        self, model: Model, deltas: AsyncGenerator[Delta, None]
    ) -> AsyncGenerator[Delta, None]:
        """Yield an answer, and unload its model behind it, also where the client leaves before its end."""
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    yield delta
        finally:
            self.remove(model)
