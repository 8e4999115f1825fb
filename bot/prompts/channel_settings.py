"""What a channel has of its own: its model, and what the model is told about itself there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.config.places import PlaceTables
from bot.config.settings import BotSettings
from bot.domain.messages import Place
from bot.domain.ports import Memory, Model
from bot.models.registry import Roster

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
    tables: PlaceTables = field(default_factory=PlaceTables)

    async def of(self, place: Place) -> tuple[Model, str]:
        """The model and the system prompt of a place."""
        chosen = await self.memory.metadata(place.channel)
        return self.roster.get(self._model(place, chosen)), self._persona(place, chosen)

    async def model(self, place: Place) -> str:
        """The name of the model that answers in a place."""
        return self.roster.get(self._model(place, await self.memory.metadata(place.channel))).name

    async def persona(self, place: Place) -> str:
        """What the model is told about itself in a place."""
        return self._persona(place, await self.memory.metadata(place.channel))

    async def choose(self, place: Place, what: str, value: str) -> None:
        """Have another model or persona in a place's channel from now on; empty: that of the settings again."""
        await self.memory.annotate(place.channel, what, value or None)

    def _model(self, place: Place, chosen: Mapping[str, str]) -> str:
        return chosen.get(MODEL) or self.tables.find(place).model

    def _persona(self, place: Place, chosen: Mapping[str, str]) -> str:
        return chosen.get(PERSONA) or self.tables.find(place).system_prompt or self.settings.system_prompt
