"""Settings: every section with its keys, their defaults and what they are for; frozen, `bot.loading` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

T = TypeVar("T")


class Section(BaseModel):
    """One table of the settings: frozen, no unknown keys.

    A field's `json_schema_extra={"env": NAME}` gives it a second name in the environment, one that its ecosystem
    already uses; `PARLEY_<SECTION>__<KEY>` beats it unless it says `"wins": True`. `"implies": {key: value}` sets
    other keys of the section along with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


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
    timezone: str = Field(
        "",
        description="Time zone of the date and time that the model is told, such as Europe/Berlin; empty: the "
        "machine's own.",
    )

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
    grace: float = Field(
        10.0,
        ge=0,
        le=600,
        description="Seconds that live replies may go on after a stop signal before they are closed.",
    )


class OpenAISettings(Section):
    """[openai]: OpenAI, or anything that speaks its chat-completions protocol."""

    api_key: SecretStr = Field(SecretStr(""), description="API key.", json_schema_extra={"env": "OPENAI_API_KEY"})
    base_url: str = Field(
        "",
        description="Another server that speaks the protocol; no key needed.",
        json_schema_extra={"env": "OPENAI_BASE_URL"},
    )
    timeout: float = Field(
        18.0,
        gt=0,
        description="Seconds without a piece of the answer after which it failed; models that think need more.",
    )

    context: int = Field(
        0, ge=0, description="Tokens that the model can hold, question and answer together; 0: what is known of it."
    )


class AnthropicSettings(Section):
    """[anthropic]: Anthropic's messages API."""

    api_key: SecretStr = Field(SecretStr(""), description="API key.", json_schema_extra={"env": "ANTHROPIC_API_KEY"})
    base_url: str = Field(
        "", description="Another server that speaks the protocol.", json_schema_extra={"env": "ANTHROPIC_BASE_URL"}
    )
    timeout: float = Field(
        18.0,
        gt=0,
        description="Seconds without a piece of the answer after which it failed; models that think need more.",
    )

    context: int = Field(
        0, ge=0, description="Tokens that the model can hold, question and answer together; 0: what is known of it."
    )


class LocalSettings(Section):
    """[local]: models that run on this machine."""

    discover: bool = Field(
        True, description="Look for Ollama, LM Studio and llama.cpp on this machine when no other model is set."
    )
    trial: bool = Field(True, description="Run the tiny trial model when there is no other.")
    cache: Path = Field(Path("~/.cache/parley"), description="Folder that keeps the trial model's file.")
    context: int = Field(4096, ge=512, description="Context of a model file that Parley runs itself, in tokens.")
    threads: int = Field(0, ge=0, description="Processor threads of such a model; 0: one fewer than there are cores.")
    timeout: float = Field(300.0, gt=0, description="Seconds that a model on this machine may take to its first piece.")
    parallel: int = Field(1, ge=1, le=64, description="How many answers a model on this machine writes at a time.")


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


class StorageSettings(Section):
    """[storage]: where the memory is."""

    path: Path = Field(Path("data/parley.db"), description="The SQLite file; its folder is made if it is missing.")


class LogSettings(Section):
    """[log]: what the operator sees."""

    level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="The least level: debug, info, warning or error."
    )
    format: str = Field(
        "auto", pattern="^(auto|text|json)$", description="text, json, or auto: text in a terminal, else json."
    )


class Keyed(Section):
    """One of many tables of a kind, `[section."name"]`; `example` is such a name. They are set in TOML alone."""

    example: ClassVar[str]
    form: ClassVar[str]
    """What a name must match."""


class ModelSettings(Keyed):
    """[models]: what is true of a model, by its name as in bot.model, where it differs from what is known of it."""

    example = "openai/gpt-x"
    form = "(openai|anthropic|local)/.+"

    context: int | None = Field(
        None,
        ge=1,
        description="Tokens that it can hold, question and answer together.",
        json_schema_extra={"example": 128_000},
    )
    images: bool | None = Field(
        None, description="Whether it can be shown pictures.", json_schema_extra={"example": True}
    )
    documents: bool | None = Field(
        None, description="Whether it can be shown PDF files.", json_schema_extra={"example": False}
    )
    input: float | None = Field(
        None, ge=0, description="US dollars for a million tokens that it reads.", json_schema_extra={"example": 0.75}
    )
    output: float | None = Field(
        None, ge=0, description="US dollars for a million tokens that it writes.", json_schema_extra={"example": 4.5}
    )
    cached: float | None = Field(
        None,
        ge=0,
        description="US dollars for a million tokens that the provider reads from its cache.",
        json_schema_extra={"example": 0.075},
    )
    written: float | None = Field(
        None,
        ge=0,
        description="US dollars for a million tokens that the provider writes to its cache.",
        json_schema_extra={"example": 0.75},
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


Tables = Annotated[Mapping[str, T], AfterValidator(MappingProxyType), PlainSerializer(dict)]
"""Tables of one kind by their names; frozen."""


def _none() -> Mapping[str, Any]:
    return MappingProxyType({})


class Settings(BaseSettings):
    """All settings of the core; the front door adds a section for each adapter with `schema`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    bot: BotSettings = BotSettings()
    openai: OpenAISettings = OpenAISettings()
    anthropic: AnthropicSettings = AnthropicSettings()
    local: LocalSettings = LocalSettings()
    files: FilesSettings = FilesSettings()
    storage: StorageSettings = StorageSettings()
    log: LogSettings = LogSettings()
    models: Tables[ModelSettings] = Field(default_factory=_none)
    places: Tables[PlaceSettings] = Field(default_factory=_none)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,  # noqa: ARG003
        **more: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `bot.loading` hands over counts: it merges the sources itself, so that errors can name them."""
        return (init_settings,)
