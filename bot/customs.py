"""What a channel has of its own: its model, and what the model is told about itself there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.config import BotSettings, PlaceSettings
from bot.messages import Place
from bot.models.roster import Roster
from bot.ports import Memory, Model

MODEL, PERSONA = "model", "persona"
"""What they are called in the notes of a place."""


@dataclass(frozen=True, slots=True)
class Customs:
    """Answers which model and which system prompt hold in a place. Every call raises StorageError.

    What an admin chose for the channel comes first, then the settings for the channel, then those for all.
    """

    roster: Roster
    memory: Memory
    settings: BotSettings
    places: Mapping[str, PlaceSettings] = field(default_factory=dict)

    async def of(self, place: Place) -> tuple[Model, str]:
        """The model and the system prompt of a place."""
        chosen = await self.memory.metadata(_home(place))
        return self.roster.get(self._model(place, chosen)), self._persona(place, chosen)

    async def model(self, place: Place) -> str:
        """The name of the model that answers in a place."""
        return self.roster.get(self._model(place, await self.memory.metadata(_home(place)))).name

    async def persona(self, place: Place) -> str:
        """What the model is told about itself in a place."""
        return self._persona(place, await self.memory.metadata(_home(place)))

    async def choose(self, place: Place, what: str, value: str) -> None:
        """Have another model or persona in a place's channel from now on; empty: that of the settings again."""
        await self.memory.annotate(_home(place), what, value or None)

    def _model(self, place: Place, chosen: Mapping[str, str]) -> str:
        return chosen.get(MODEL) or self._set(place).model

    def _persona(self, place: Place, chosen: Mapping[str, str]) -> str:
        return chosen.get(PERSONA) or self._set(place).system_prompt or self.settings.system_prompt

    def _set(self, place: Place) -> PlaceSettings:
        return self.places.get(place.key) or self.places.get(_home(place)) or PlaceSettings()


def _home(place: Place) -> str:
    return place.home or place.key
