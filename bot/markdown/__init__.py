"""Cutting a long answer into pages that each stand alone, and closing what is still open in a draft. Pure."""

from bot.markdown.heal import heal
from bot.markdown.plain import plain
from bot.markdown.split import Cut, split

__all__ = ["Cut", "heal", "plain", "split"]
