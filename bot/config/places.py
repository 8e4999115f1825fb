"""What the settings file says of single channels, threads and DMs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.config.settings import PlaceSettings, Settings
from bot.domain.messages import Place

NOTHING = PlaceSettings()


@dataclass(frozen=True, slots=True)
class PlaceTables:
    """The tables of `[places]`, by their keys."""

    tables: Mapping[str, PlaceSettings] = field(default_factory=dict)

    def find(self, place: Place) -> PlaceSettings:
        """What holds in a place: key by key its own table, else that of the channel that it is in."""
        channel, own = (self.tables.get(key, NOTHING) for key in (place.channel, place.room))
        return channel.model_copy(update=own.model_dump(exclude_unset=True))

    def place_for(self, place: Place, person: str) -> Place:
        """Where a person's conversation is: a place of their own where memory = "person" holds, else the one given.

        Its key is that of the place with the person's id behind it. No thread is called so: on Discord a place has one
        id, in Slack a thread's is a time and a person's begins with a letter.
        """
        if place.person or not place.shared or not person or self.find(place).memory != "person":
            return place
        return replace(place, key=f"{place.key}:{person}", person=person)


def read_unaddressed(settings: Settings, platform: str) -> tuple[str, ...]:
    """The settings that need the bot to read on a platform what is not said to it, as they stand in the file."""
    tables = [
        f'[places."{key}"] answer'
        for key, table in settings.places.items()
        if table.answer == "all" and key.startswith(f"{platform}:")
    ]
    return (*(["bot.names"] if settings.bot.names else []), *tables)
