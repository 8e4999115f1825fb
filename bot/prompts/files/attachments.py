"""From the files that came with a question to what a model is told and shown of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bot.config.settings import FilesSettings
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment
from bot.domain.model_info import Facts
from bot.domain.ports import Library
from bot.domain.records import Material
from bot.prompts.files.formatting import title
from bot.prompts.files.opener import Opening, noted

REASONS = {
    PlatformFault.REJECTED: "{name} is too large, or kept where I may not fetch it.",
    PlatformFault.MODERATED: "The moderation here does not let me have {name}.",
    PlatformFault.FORBIDDEN: "I am not allowed to fetch {name}.",
    PlatformFault.GONE: "{name} is not there any more.",
    PlatformFault.RATE: "I could not fetch {name} just now; please send it again in a minute.",
    PlatformFault.NETWORK: "I could not fetch {name}; please send it again.",
}
LATE = "{name} took too long to read."
LARGE = "{name} is too large: I read files of at most {size:g} MB."
MANY = "I read at most {count} files of one message, so I left out {names}."
NONE = "I read no files here, so I left out {names}."
NAMED = 3
"""How many of the files that were left out are named."""

log = structlog.get_logger(__name__)


async def read(attachments: Sequence[Attachment], library: Library, facts: Facts, settings: FilesSettings) -> Material:
    """Fetch the files and make of them what a model with these facts can use; takes at most `settings.seconds`.

    Texts and files are in the order of the attachments. Nothing is lost silently: of each file that is left out, or
    cut, a note for the person says so. What a file holds or a platform refuses raises nothing.
    """
    opening = Opening(facts, settings)
    deadline = asyncio.get_running_loop().time() + settings.seconds
    chosen, others = attachments[: settings.count], attachments[settings.count :]
    parts = await asyncio.gather(*(_read(attachment, library, opening, deadline) for attachment in chosen))
    if others:
        parts.append(_left(others, settings.count))
    return Material(
        "\n\n".join(part.text for part in parts if part.text),
        tuple(file for part in parts for file in part.files),
        tuple(note for part in parts for note in part.notes),
    )


async def _read(attachment: Attachment, library: Library, opening: Opening, deadline: float) -> Material:
    name, most = title(attachment.name), opening.settings.size
    if attachment.size > most:
        return noted(LARGE, name, size=most / 1e6)
    try:
        async with asyncio.timeout_at(deadline):
            data = await library.download(attachment, most)
            return await opening.open(name, data) if len(data) <= most else noted(LARGE, name, size=most / 1e6)
    except TimeoutError:
        return noted(LATE, name)
    except PlatformError as error:
        log.info("a file was not fetched", fault=error.fault.value, reason=str(error))
        return noted(REASONS[error.fault], name)


def _left(others: Sequence[Attachment], count: int) -> Material:
    names = ", ".join(title(other.name) for other in others[:NAMED])
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    return Material(notes=((MANY if count else NONE).format(count=count, names=names + more),))
