"""Settings: every section of the core with its keys, their defaults and what they are for; `load` reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.config.base import Ids, Keyed, Section, Tables, none
from bot.config.models import AnthropicSettings, LocalSettings, ModelSettings, OpenAISettings

NAME = re.compile(r"\w")
"""What a name of the bot has at least one of."""


class BotSettings(Section):
    """[bot]: how it speaks and with which model."""

    model: str = Field("", description='The model, as "<provider>/<name>"; empty: chosen from what is there.')
    fallback_models: tuple[str, ...] = Field(
        (), description="Models that answer in this order while the one before fails, named like bot.model."
    )
    system_prompt: str = Field(
        "You are Parley, a helpful assistant in a chat. Answer in the language of the question, in plain Markdown, "
        "and as briefly as the question allows.",
        description="What the model is told about itself before every conversation.",
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="Sampling temperature; sent only where it is set: newer models refuse it."
    )
    max_tokens: int = Field(2000, ge=1, description="The longest answer, in tokens.")
    history: int = Field(
        20,
        ge=0,
        le=1000,
        description="How many earlier messages of a place the model is shown at least, as they are, if they fit; what "
        "is older it knows from a summary. 0: nothing of before.",
    )
    summaries: bool = Field(True, description="Summarise what is too old to be shown; else the model forgets it.")
    names: tuple[str, ...] = Field(
        (),
        description="Names of the bot: a message that begins with one is a mention, wherever the bot may read it.",
    )
    timezone: str = Field(
        "",
        description="Time zone of the date and time that the model is told, such as Europe/Berlin; empty: the "
        "machine's own.",
    )

    @field_validator("names")
    @classmethod
    def _check_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """A name without letters, or of several lines, would never be said or always be meant."""
        if any(not NAME.search(name) or not name.isprintable() for name in names):
            raise ValueError('a name is a word or two on one line, such as "parley"')
        return tuple(name.strip() for name in names)

    @field_validator("timezone")
    @classmethod
    def _look(cls, name: str) -> str:
        """A zone that this machine does not know would fail at every question."""
        try:
            return ZoneInfo(name).key if name else name
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError('there is no such time zone here; write it as "Europe/Berlin", or "UTC"') from None

    models: tuple[str, ...] = Field(
        (), description="Models that admins may choose for a channel with /model, named like bot.model."
    )
    around: int = Field(
        10,
        ge=0,
        le=50,
        description="How many lines the model is shown of what was said around a question before it was asked in.",
    )
    file_after: int = Field(
        0, ge=0, le=100, description="Answers of more messages than this are posted as a file too; 0: none is."
    )
    show_thinking: bool = Field(False, description="Say “Thinking…” while a model reasons before its first words.")
    waiting: int = Field(
        20, ge=1, le=1000, description="How many questions may wait in one place while another is answered."
    )
    resume: float = Field(
        600.0,
        ge=0,
        description="Seconds for which an answer that a crash broke off is written anew; an older one is closed.",
    )
    final_patience: float = Field(
        5.0,
        ge=0,
        le=600,
        description="Seconds that a whole answer waits where the platform takes no edit of its message but new posts; "
        "then it is posted anew in place of that message.",
    )
    grace: float = Field(
        10.0,
        ge=0,
        le=600,
        description="Seconds that live replies may go on after a stop signal before they are closed.",
    )


class FilesSettings(Section):
    """[files]: pictures and files that come with a question."""

    count: int = Field(5, ge=0, le=20, description="How many files of one message are used; 0: none.")
    size: int = Field(10_000_000, ge=0, le=100_000_000, description="Bytes of the largest file that is fetched.")
    characters: int = Field(
        40_000, ge=0, le=1_000_000, description="Characters of text that are read of one message's files together."
    )
    pixels: int = Field(50_000_000, ge=0, le=200_000_000, description="Pixels of the largest picture that is opened.")
    edge: int = Field(1568, ge=64, le=8000, description="Pixels of a picture's longer edge; it is scaled down to that.")
    seconds: float = Field(20.0, gt=0, le=300, description="Seconds that fetching and reading all files may take.")


class AccessSettings(Section):
    """[access]: who may talk to it, on Discord and Slack."""

    allow_people: Ids = Field(
        (), description="Ids of the users and Discord roles who may talk to it; empty: everybody."
    )
    allow_places: Ids = Field(
        (),
        description="Ids of the channels (with their threads), categories, servers and workspaces where it answers; "
        "empty: everywhere. Direct messages are access.dms' to decide.",
    )
    block: Ids = Field(
        (),
        description="Ids of users, roles, channels, categories, servers and workspaces that it never answers, whatever "
        "else is set.",
    )
    dms: Literal["open", "listed", "off"] = Field(
        "open",
        description="Who may write to it in direct messages: open, everybody who may talk to it; listed, only users "
        "whom access.allow_people names; off, nobody but admins.",
    )
    external: bool = Field(False, description="Answer people of other organisations in channels shared over Slack.")
    bots: Ids = Field(
        (), description="Ids of the bots that are answered when they mention it; every other bot is ignored."
    )
    bot_turns: int = Field(
        3, ge=1, le=100, description="How many answers in a row bots get in a channel before a person speaks to it."
    )
    notice: bool = Field(True, description="Tell a person who is turned away why, once a day at most; else never.")


class LimitsSettings(Section):
    """[limits]: how much it may be used; a day ends at midnight of this machine. 0 is no limit."""

    turns_per_minute: int = Field(20, ge=0, description="Questions of one person in a minute; admins are exempt.")
    turns_per_day: int = Field(200, ge=0, description="Questions of one person in a day; admins are exempt.")
    person_tokens: int = Field(0, ge=0, description="Tokens, read and written, of one person in a day.")
    person_dollars: float = Field(0.0, ge=0, description="US dollars of one person in a day, where the price is known.")
    place_tokens: int = Field(0, ge=0, description="Tokens, read and written, of one conversation in a day.")
    place_dollars: float = Field(
        0.0, ge=0, description="US dollars of one conversation in a day, where the price is known."
    )
    dollars: float = Field(
        10.0, ge=0, description="US dollars of all in a day, admins included; admins are told at 80 and at 100 %."
    )
    tokens: int = Field(
        5_000_000,
        ge=0,
        description="Tokens of all in a day of models whose price is not known; told like limits.dollars.",
    )


class StorageSettings(Section):
    """[storage]: where the memory is."""

    path: Path = Field(Path("data/parley.db"), description="The SQLite file; its folder is made if it is missing.")


class LogSettings(Section):
    """[log]: what the operator sees."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level: debug, info, warning or error."
    )
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="text, json, or auto: text in a terminal, else json."
    )
    texts: bool = Field(
        False, description="Write questions and answers to the log, at level debug; else it has ids alone."
    )


class PrivacySettings(Section):
    """[privacy]: how long what people say is kept."""

    retention_days: int = Field(
        0, ge=0, le=36_500, description="Days after which questions, answers and files are deleted; 0: they are kept."
    )


class PlaceSettings(Keyed):
    """[places]: what holds in one channel, thread or DM alone, by its key, such as discord:123 or slack:T1:C1."""

    example = "discord:123"
    form = r"\w+:.+"

    model: str = Field(
        "",
        description="The model that answers there, named like bot.model; empty: the one of bot.model.",
        json_schema_extra={"example": "openai/gpt-x"},
    )
    system_prompt: str = Field(
        "",
        description="What the model is told about itself there; empty: bot.system_prompt.",
        json_schema_extra={"example": "You help the people of this channel with their SQL."},
    )
    answer: Literal["mentions", "all"] = Field(
        "mentions",
        description="What is answered there and in its threads: mentions (the default), or all that is said to nobody "
        "else.",
        json_schema_extra={"example": "all"},
    )
    memory: Literal["shared", "person"] = Field(
        "shared",
        description="Whose conversation it is there: shared (the default), one of all who speak; or person, each has "
        "one of their own.",
        json_schema_extra={"example": "person"},
    )


class Settings(BaseSettings):
    """All settings of the core; the front door adds a section for each adapter with `schema`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    bot: BotSettings = BotSettings()
    openai: OpenAISettings = OpenAISettings()
    anthropic: AnthropicSettings = AnthropicSettings()
    local: LocalSettings = LocalSettings()
    files: FilesSettings = FilesSettings()
    access: AccessSettings = AccessSettings()
    limits: LimitsSettings = LimitsSettings()
    storage: StorageSettings = StorageSettings()
    log: LogSettings = LogSettings()
    privacy: PrivacySettings = PrivacySettings()
    models: Tables[ModelSettings] = Field(default_factory=none)
    places: Tables[PlaceSettings] = Field(default_factory=none)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,  # noqa: ARG003
        **more: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `bot.config.load` hands over counts: it merges the sources itself, so that errors can name them."""
        return (init_settings,)
