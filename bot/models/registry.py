"""The models that can be chosen: the one that answers where nothing else is said, and those beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.ports import Model


@dataclass(frozen=True, slots=True)
class Roster:
    """Models by their names, `others` beside the `default`."""

    default: Model
    others: Mapping[str, Model] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What can be chosen, the default first."""
        return tuple(dict.fromkeys((self.default.name, *self.others)))

    def get(self, name: str) -> Model:
        """The model of this name; the default where there is none."""
        return self.others.get(name, self.default)

    async def close(self) -> None:
        """Close every model."""
        for model in (*self.others.values(), self.default):
            await model.close()
