"""Settings: a TOML file, `.env` and the environment, read once at the front door and passed down frozen."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import SettingsError

PREFIX = "PARLEY_"
DEFAULT_PATH = Path("config.toml")
FOREIGN = re.compile(r"PARLEY_(SERVICE_(HOST|PORT)(_\w+)?=.*|PORT=\w+://.*|PORT_\d+_\w+=.*)", re.DOTALL)
"""What Kubernetes and Docker set beside a service that is called parley."""


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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,  # noqa: ARG003
        **more: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over counts: it merges the sources itself, so that errors can name them."""
        return (init_settings,)


def schema(adapters: Mapping[str, type[Section]]) -> type[Settings]:
    """The settings with a section for each adapter, named as the adapter is."""
    fields: dict[str, Any] = {name: (section, section()) for name, section in adapters.items()}
    return create_model("Settings", __base__=Settings, **fields)


def load(shape: type[Settings], path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings: the environment beats `.env`, which beats the TOML file.

    A named file must exist; the default one need not. Raises SettingsError with the key, its place and what to do.
    """
    dotenv = {key: value for key, value in dotenv_values(".env").items() if value}
    values: dict[str, dict[str, Any]] = {}
    origins: dict[tuple[str, str], str] = {}
    for (section, key), value in _from_toml(shape, path).items():
        values.setdefault(section, {})[key] = value
        origins[section, key] = f"{section}.{key} in {path or DEFAULT_PATH}"
    for source, where in ((dotenv, ".env"), (environ, "the environment")):
        for name, section, key, value in _from_environ(shape, source):
            values.setdefault(section, {})[key] = value
            origins[section, key] = f"{name} in {where}"
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error, origins)) from None


def _from_toml(shape: type[Settings], path: Path | None) -> dict[tuple[str, str], Any]:
    file = path or DEFAULT_PATH
    if path is None and not file.exists():
        return {}
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no settings file {file}: give --config a file that exists.") from None
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}. Correct that line.") from None
    known = ", ".join(f"[{name}]" for name in shape.model_fields)
    for section, table in tables.items():
        if not isinstance(table, dict):
            homes = " or ".join(f"[{home}]" for home, key, _ in fields(shape) if key == section)
            place = f"into the section {homes}" if homes else f"into a section; the sections are {known}"
            raise SettingsError(f"{file}: {section} belongs {place}.")
        if section not in shape.model_fields:
            raise SettingsError(f"{file}: there is no section [{section}]; the sections are {known}.")
    return {(section, key): value for section, table in tables.items() for key, value in table.items()}


def _from_environ(shape: type[Settings], environ: Mapping[str, str]) -> list[tuple[str, str, str, Any]]:
    """(variable, section, key, value) for each setting in the environment, the stronger names last."""
    found: list[tuple[str, str, str, Any]] = []
    winners: list[tuple[str, str, str, Any]] = []
    for section, key, field in fields(shape):
        extra = field.json_schema_extra or {}
        name = str(extra.get("env", ""))
        if name and environ.get(name):
            rank = winners if extra.get("wins") else found
            rank.append((name, section, key, _parse(field.annotation, environ[name])))
            rank += [(name, section, implied, value) for implied, value in extra.get("implies", {}).items()]
    for name, value in environ.items():
        if not name.upper().startswith(PREFIX) or not value:
            continue
        section, separator, key = name[len(PREFIX) :].lower().partition("__")
        if not separator:
            _reject(shape, name, value)
        elif section not in shape.model_fields:
            raise SettingsError(f"{name} is set, but there is no section [{section}]; take it away or correct it.")
        else:
            known = shape.model_fields[section].annotation.model_fields.get(key)  # type: ignore[union-attr]
            found.append((name, section, key, _parse(known.annotation if known else None, value)))
    return found + winners


def _reject(shape: type[Settings], name: str, value: str) -> None:
    """Refuse a variable that names no setting, unless it is one that a container platform sets by itself."""
    if FOREIGN.fullmatch(f"{name}={value}"):
        return
    rest = name[len(PREFIX) :].lower()
    meant = [f"{PREFIX}{home}__{key}".upper() for home, key, _ in fields(shape) if rest in (key, f"{home}_{key}")]
    right = " or ".join(meant) or f"{PREFIX}<SECTION>__<KEY>"
    raise SettingsError(f"{name} is set, but names no setting: write it as {right}, or take it away.")


def _parse(annotation: Any, value: str) -> Any:
    """A list may be written with commas; everything else is left to the section's own types."""
    if get_origin(annotation) in (tuple, list):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def fields(shape: type[Settings]) -> list[tuple[str, str, Any]]:
    """(section, key, field) of every setting, in the order of their definition."""
    return [
        (section, key, field)
        for section, table in shape.model_fields.items()
        for key, field in table.annotation.model_fields.items()  # type: ignore[union-attr]
    ]


def _explain(error: ValidationError, origins: Mapping[tuple[str, str], str]) -> str:
    sentences = []
    for problem in error.errors(include_url=False, include_input=False):
        section, key = (*map(str, problem["loc"]), "", "")[:2]
        origin = origins.get((section, key), f"{section}.{key}")
        if problem["type"] == "extra_forbidden":
            sentences.append(f"{origin}: there is no such setting; see docs/configuration.md for those that exist.")
        else:
            sentences.append(f"{origin}: {problem['msg'].removeprefix('Value error, ')}.")
    return " ".join(sentences)
