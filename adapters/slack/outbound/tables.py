"""Tables that Slack may not take as tables, shown as code instead. Pure.

A `markdown` block shows tables, several of them too (measured on a workspace, slack-mcp-server pull request 330). Slack
makes of it one block for each table and one for what is between two, of which a message may have 50 in all (metabase
pull request 80652), and a table has at most 100 rows and 20 columns (docs.slack.dev, table block).
"""

from __future__ import annotations

from bot.markdown.blocks import Kind, Line, count_cells, scan

TABLES, ROWS, COLUMNS = 20, 100, 20
CELLS = (Kind.HEADER, Kind.DELIMITER, Kind.ROW)
FENCE = "```"


def tame(markdown: str) -> str:
    """The markdown with fences around each table that is too long, too wide, or one too many."""
    if markdown.count("|") <= min(TABLES, COLUMNS):
        return markdown
    pieces: list[str] = []
    end = 0
    for number, table in enumerate(_find(markdown)):
        first, last = table[0], table[-1]
        header = markdown[first.start : first.end]
        wide = count_cells(header) > COLUMNS or len(table) - 1 > ROWS
        if (wide or number >= TABLES) and not first.context.containers:
            pieces += [markdown[end : first.start], f"{FENCE}\n{markdown[first.start : last.end]}\n{FENCE}"]
            end = last.end
    return "".join([*pieces, markdown[end:]])


def _find(markdown: str) -> list[list[Line]]:
    """The lines of each table, the delimiter row among them."""
    tables: list[list[Line]] = []
    for line in scan(markdown):
        if line.kind is Kind.HEADER:
            tables.append([line])
        elif line.kind in CELLS:
            tables[-1].append(line)
    return tables
