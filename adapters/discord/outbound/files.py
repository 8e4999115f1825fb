"""Files of Discord: what people sent is fetched from its own hosts, and an answer is posted as one."""

from __future__ import annotations

import io
import json
from hashlib import blake2s
from typing import Any

from aiohttp import ClientTimeout, FormData

from adapters.discord.api.client import Rest
from adapters.discord.api.errors import explain
from adapters.discord.outbound.payload import SUPPRESS_NOTIFICATIONS
from adapters.discord.settings import Settings
from adapters.shared.download import PATIENCE, admit, opened, read, weigh
from bot.domain.messages import Attachment
from bot.pacing.pacer import Pacer

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps files; their addresses carry their own right of access, so that they are told no token."""
OFFICIAL = Settings.model_fields["api_base_url"].default
KIND = "text/plain; charset=utf-8"


async def download(rest: Rest, attachment: Attachment, most: int, patience: ClientTimeout = PATIENCE) -> bytes:
    """The content of a file, asked for once. Where the API is another's, files may be there too.

    Raises PlatformError: REJECTED for one that is kept elsewhere, is a redirect, or has more than `most` bytes.
    """
    url = admit(attachment.url, HOSTS, rest.base if rest.base != OFFICIAL else "")
    weigh(attachment.size, most)
    async with opened(rest.session, "GET", url, headers={"User-Agent": rest.agent}, timeout=patience) as response:
        if response.status != 200:
            raise explain(response.status, None, response.headers)
        return await read(response, most)


async def attach(rest: Rest, channel: str, question: str, name: str, text: str, pacer: Pacer) -> None:
    """Post a text file, silently; the same one made again within minutes stands there once. Raises PlatformError."""
    said: dict[str, Any] = {
        "attachments": [{"id": 0, "filename": name}],
        "allowed_mentions": {"parse": []},
        "flags": SUPPRESS_NOTIFICATIONS,
        "nonce": blake2s(f"{question}:{name}:{text}".encode(errors="replace"), digest_size=12).hexdigest(),
        "enforce_nonce": True,
    }
    form = FormData()
    form.add_field("payload_json", json.dumps(said), content_type="application/json")
    form.add_field("files[0]", io.BytesIO(text.encode(errors="replace")), filename=name, content_type=KIND)
    await rest.call("POST", f"/channels/{channel}/messages", pacer=pacer, form=form)
