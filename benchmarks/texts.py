"""Answers to measure with: words in sentences and paragraphs."""

from __future__ import annotations

import random

WORDS = """
about after again answer because before between change common different during early enough every example
first follow found give great group house important just keep large later letter light little long many might
more most mountain move much name never next number often open order other over page part people place point
read right river same second seem sentence should show side since small some soon sound still story such take
tell than that their then there thing think thought through time together under until very watch water well
what
""".split()  # noqa: SIM905 - so many words read better as they are
SENTENCE, PARAGRAPH = 14, 70
"""Tokens of them."""


def write(tokens: int, seed: int) -> list[str]:
    """An answer of words in sentences and paragraphs."""
    source = random.Random(seed)
    found = []
    for number in range(tokens):
        word = source.choice(WORDS)
        word = word.title() if number % SENTENCE == 0 else word
        after = "\n\n" if number % PARAGRAPH == PARAGRAPH - 1 else " "
        found.append(f"{word}.{after}" if number % SENTENCE == SENTENCE - 1 else f"{word} ")
    return [*found[:-1], found[-1].strip()]
