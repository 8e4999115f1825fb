"""Whether the bot may write in a channel, from what the gateway tells of roles, channels and threads."""

from __future__ import annotations

from dataclasses import dataclass

import discord

LACKS = "I lack the permission {}"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Looks a channel up in what the gateway has told `client`."""

    client: discord.Client

    def name(self, channel: int) -> str:
        """Return a channel's name with its server's, for people; its id where the gateway did not tell of it."""
        where = self.client.get_channel(channel)
        if not isinstance(where, discord.abc.GuildChannel | discord.Thread):
            return str(channel)
        return f"#{where.name} ({where.guild.name})"

    def find_obstacle(self, channel: int, threaded: bool = False) -> str:
        """Say what keeps the bot from writing in a channel; empty where nothing is known to.

        `threaded` says that the answer has a thread of its own, which is opened from the channel.
        """
        where = self.client.get_channel(channel)
        if not isinstance(where, discord.abc.GuildChannel | discord.Thread) or where.guild.me is None:
            return ""
        me = where.guild.me
        if me.is_timed_out():
            return "I am timed out on that server"
        try:
            may = where.permissions_for(me)
        except discord.ClientException:  # a thread whose channel the gateway did not tell of
            return ""
        if not may.view_channel:
            return LACKS.format("View Channel")
        if isinstance(where, discord.Thread):
            if where.locked and not may.manage_threads:
                return "the thread is locked"
            return "" if may.send_messages_in_threads else LACKS.format("Send Messages in Threads")
        opens = threaded and may.create_public_threads and may.send_messages_in_threads
        return "" if may.send_messages or opens else LACKS.format("Send Messages")
