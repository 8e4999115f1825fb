"""Settings of those who answer: the providers, models on this machine, and what is true of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from bot.config.base import Keyed, Section

Url = Annotated[str, StringConstraints(strip_whitespace=True)]
"""An address; a blank that was copied with it is no part of it."""


class OpenAISettings(Section):
    """[openai]: OpenAI, or anything that speaks its chat-completions protocol."""

    api_key: SecretStr = Field(SecretStr(""), description="API key.", json_schema_extra={"env": "OPENAI_API_KEY"})
    base_url: Url = Field(
        "",
        description="Another server that speaks the protocol; no key needed.",
        json_schema_extra={"env": "OPENAI_BASE_URL"},
    )
    timeout: float = Field(
        0.0,
        ge=0,
        description="Seconds without a sign of life from the model after which its answer failed; 0: 18, or less where "
        "a fallback model waits, and local.timeout to the first piece on this machine or in its network.",
    )
    context: int = Field(
        0, ge=0, description="Tokens that the model can hold, question and answer together; 0: what is known of it."
    )


class AnthropicSettings(Section):
    """[anthropic]: Anthropic's messages API."""

    api_key: SecretStr = Field(SecretStr(""), description="API key.", json_schema_extra={"env": "ANTHROPIC_API_KEY"})
    base_url: Url = Field(
        "", description="Another server that speaks the protocol.", json_schema_extra={"env": "ANTHROPIC_BASE_URL"}
    )
    timeout: float = Field(
        0.0,
        ge=0,
        description="Seconds without a sign of life from the model after which its answer failed; 0: 18, or less where "
        "a fallback model waits, and local.timeout to the first piece on this machine or in its network.",
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
    timeout: float = Field(
        300.0,
        gt=0,
        description="Seconds that a model on this machine or in its network may take to its first piece.",
    )
    parallel: int = Field(1, ge=1, le=64, description="How many answers a model on this machine writes at a time.")


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
