"""What the programs that open files answer with: known to both sides, and light to import."""

from __future__ import annotations

VAST = b"vast"
"""A picture has too many pixels; else the answer is its media type, a line feed, and the picture."""
PICTURE = 3_750_000
"""Bytes of the largest picture that is given: Anthropic takes 5 MiB, counted in base64."""
LOCKED = b"locked"
"""A document wants a password; else the answer is a head, a line feed, and the text in UTF-8.

The head is the number of pages, and `SEALED` after it where the document is encrypted, but with no password: it can
be read here, and not by every provider.
"""
SEALED = b" sealed"
