"""Cutting a long answer into pages that each stand alone, and closing what is still open in a draft. Pure."""

from bot.markdown.heal import heal
from bot.markdown.paginate import Cut, split
from bot.markdown.plain import plain

__all__ = ["Cut", "heal", "plain", "split"]
