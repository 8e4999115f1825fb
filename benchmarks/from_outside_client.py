"""A client that shows an answer as many bots do: by discord.py, with one second between any two edits."""

from __future__ import annotations

import asyncio

import discord

EACH = 1.0
"""Seconds between an edit and the next."""
SIZE = 2000
"""Characters of a message."""


async def edit_each_second(pieces: asyncio.Queue[str], channel: discord.PartialMessageable) -> None:
    """Post the first piece, then edit each second, awaited where the pieces are read; an empty piece is the end.

    As in llmcord, a piece is taken when the next has come, for only that tells whether it was the last; a message that
    is full is edited once more and the next posted right after it; the last edit waits for its second, too.
    """
    clock = asyncio.get_running_loop().time
    message, text, last = None, "", 0.0
    piece = await pieces.get()
    while following := await pieces.get():
        if message and len(text) + len(piece) > SIZE:
            await asyncio.sleep(last + EACH - clock())
            await message.edit(content=text)
            message, text = None, ""
        text += piece
        if message is None:
            message, last = await channel.send(text), clock()
        elif clock() - last >= EACH:
            await message.edit(content=text)
            last = clock()
        piece = following
    assert message
    await asyncio.sleep(last + EACH - clock())
    await message.edit(content=text + piece)
