"""What every table of the settings has in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer

T = TypeVar("T")


class Section(BaseModel):
    """One table of the settings: frozen, no unknown keys, no blanks around a text.

    A field's `json_schema_extra={"env": NAME}` gives it a second name in the environment, one that its ecosystem
    already uses; `PARLEY_<SECTION>__<KEY>` beats it unless it says `"wins": True`. `"implies": {key: value}` sets
    other keys of the section along with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True)


class Keyed(Section):
    """One of many tables of a kind, `[section."name"]`; `example` is such a name. They are set in TOML alone."""

    example: ClassVar[str]
    form: ClassVar[str]
    """What a name must match."""


ID = re.compile(r"[\w.:-]+")


def _spell(ids: Any) -> Any:
    """An id may be written as a number too."""
    whole = isinstance(ids, list | tuple)
    return [str(one) if type(one) is int else one for one in ids] if whole else ids


def _check(ids: tuple[str, ...]) -> tuple[str, ...]:
    """What is no id would be a list that names nobody."""
    for one in ids:
        if not ID.fullmatch(one):
            raise ValueError('an id is written as the platform has it, such as "U012ABC" or "discord:123"')
    return ids


Ids = Annotated[tuple[str, ...], BeforeValidator(_spell), AfterValidator(_check)]
"""Ids as a platform has them; `<platform>:<id>` where two platforms could have the same."""
Tables = Annotated[Mapping[str, T], AfterValidator(MappingProxyType), PlainSerializer(dict)]
"""Tables of one kind by their names; frozen."""


def none() -> Mapping[str, Any]:
    """No table of a kind."""
    return MappingProxyType({})
