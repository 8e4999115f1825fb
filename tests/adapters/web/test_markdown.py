"""What the page makes of markdown, in a real browser: as people mean it, and never anything that runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browser import Browser, browser, missing
from tests.support.hostile_texts import HOSTILE
from tests.support.webserver import web

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

LINK = 'target="_blank" rel="noopener noreferrer"'
HEAD = '<header><span>py</span><button type="button" class="copy">Copy</button></header>'
WHOLE = {
    "a *b* **c** ***d*** ~~e~~ `f`": "<p>a <em>b</em> <strong>c</strong> <em><strong>d</strong></em> <del>e</del> "
    "<code>f</code></p>",
    "snake_case_word, _em_, 5 * 3 * 2, **open": "<p>snake_case_word, <em>em</em>, 5 * 3 * 2, **open</p>",
    "one\ntwo\n\nthree": "<p>one<br>two</p><p>three</p>",
    "# T\n## U #\ntext": "<h1>T</h1><h2>U</h2><p>text</p>",
    "- a\n- b\n  - c\n    more\n- [x] d": "<ul><li>a</li><li>b<ul><li>c<br>more</li></ul></li><li>☑ d</li></ul>",
    "1. a\n\n   b\n2. c": "<ol><li><p>a</p><p>b</p></li><li>c</li></ol>",
    "3. a\n4. b": '<ol start="3"><li>a</li><li>b</li></ol>',
    "text\n2019. No list": "<p>text<br>2019. No list</p>",
    "> q\n> > deep\n\n---": "<blockquote><p>q</p><blockquote><p>deep</p></blockquote></blockquote><hr>",
    "```py\nx < 1\n```": f'<div class="fence">{HEAD}<pre tabindex="0"><code>x &lt; 1</code></pre></div>',
    "|a|b|\n|-|-:|\n|1|`x\\|y`|": '<div class="table" tabindex="0"><table><thead><tr><th class="">a</th>'
    '<th class="end">b</th></tr></thead><tbody><tr><td class="">1</td><td class="end"><code>x|y</code></td></tr>'
    "</tbody></table></div>",
    "[t](https://e.example/a_(b))": f'<p><a href="https://e.example/a_(b)" {LINK}>t</a></p>',
    "(https://e.example/x).": f'<p>(<a href="https://e.example/x" {LINK}>https://e.example/x</a>).</p>',
    "![alt](https://e.example/p.png)": f'<p><a href="https://e.example/p.png" {LINK}>alt</a></p>',
    "a\\*b\\* `` c`d `` &amp; <b>": "<p>a*b* <code>c`d</code> &amp;amp; &lt;b&gt;</p>",
}
"""Markdown and its elements."""
GROWING = {
    "**bo": "<p><strong>bo</strong></p>",
    "text **": "<p>text </p>",
    "[a li": "<p>a li</p>",
    "[a link](https://e.exa": "<p>a link</p>",
    "- **a": "<ul><li><strong>a</strong></li></ul>",
    "```py\nx": f'<div class="fence">{HEAD}<pre tabindex="0"><code>x</code></pre></div>',
    "|a|b|\n|-": "<p></p>",
}
"""Half-written markdown and what is shown of it until more comes."""
RENDER = """
const [text, growing] = arguments;
return import(new URL("static/markdown.js", location.href)).then(({ Shown }) => {
  const target = document.createElement("div");
  new Shown(target).show(text, growing);
  return target.innerHTML;
});
"""
GROW = """
const texts = arguments[0];
return import(new URL("static/markdown.js", location.href)).then(({ Shown }) => {
  const differing = [];
  for (const text of texts) {
    const [grown, whole] = [0, 0].map(() => document.querySelector("#log").appendChild(document.createElement("div")));
    const shown = new Shown(grown);
    for (let end = 0; end < text.length; end++) shown.show(text.slice(0, end), true);
    shown.show(text, false);
    new Shown(whole).show(text, false);
    if (grown.innerHTML !== whole.innerHTML) differing.push(text);
  }
  return differing;
});
"""
WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""
SHOWN = {
    "A", "ARTICLE", "BLOCKQUOTE", "BR", "BUTTON", "CODE", "DEL", "DIV", "EM", "H1", "H2", "H3", "H4", "H5", "H6",
    "HEADER", "HR", "LI", "OL", "P", "PRE", "SPAN", "STRONG", "TABLE", "TBODY", "TD", "TH", "THEAD", "TR", "UL",
}  # fmt: skip
ATTRIBUTES = {"aria-busy", "class", "hidden", "href", "rel", "start", "tabindex", "target", "type"}
FOUND = """
const nodes = [...document.querySelectorAll("#log *")];
return {
  names: [...new Set(nodes.map((node) => node.tagName))],
  attributes: [...new Set(nodes.flatMap((node) => node.getAttributeNames()))],
  links: [...new Set(nodes.filter((node) => node.href).map((node) => node.protocol))],
  broken: window.broken,
  ran: "hacked" in window,
};
"""


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Browser]:
    """The chat page, in a browser that notes what the page's policy forbids."""
    async with web(tmp_path) as server, browser(tmp_path / "profile") as opened:
        await opened.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        await opened.go(server.url)
        yield opened


async def harmless(page: Browser) -> None:
    """Assert that the conversation consists of our own elements, with web and mail links, and that nothing ran."""
    found = await page.run(FOUND)
    assert set(found["names"]) <= SHOWN
    assert set(found["attributes"]) <= ATTRIBUTES
    assert set(found["links"]) <= {"http:", "https:", "mailto:"}
    assert found["broken"] == []
    assert not found["ran"]


async def test_markdown_shows_as_it_is_meant(page: Browser) -> None:
    """Each construct becomes its elements; line breaks stay, images are links, HTML is text."""
    for text, html in WHOLE.items():
        assert await page.run(RENDER, text, False) == html


async def test_half_written_markdown_shows_whole(page: Browser) -> None:
    """What is open is shown as if it were closed; half a link is its text, half a table waits."""
    for text, html in GROWING.items():
        assert await page.run(RENDER, text, True) == html


async def test_an_answer_that_grew_looks_like_one_that_came_whole(page: Browser) -> None:
    """Grown letter by letter, hostile or not, a text ends in the elements that it has at once, none foreign."""
    assert await page.run(GROW, [*WHOLE, *GROWING, *HOSTILE]) == []
    await harmless(page)


async def test_nothing_that_is_said_runs(tmp_path: Path) -> None:
    """Hostile texts, as questions and as answers, live and read back, are shown as the text that they are."""
    async with web(tmp_path) as server, browser(tmp_path / "profile") as page:
        await page.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        server.model.say(*("\n\n".join(HOSTILE)))
        await page.go(server.url)
        await page.ask("Hi")
        await page.until("document.querySelector('.answer') && !document.querySelector('.growing')")
        await harmless(page)
        known = (await page.texts("#conversation-id"))[0]
        for text in HOSTILE:
            server.model.say(text)
            await server.chat(text, known)
        await page.reload()
        await page.until("document.querySelector('.answer')")
        assert await page.run("return document.querySelectorAll('.question').length") == len(HOSTILE) + 1
        await harmless(page)
        written = await page.run("return [...document.querySelectorAll('.question')].map((node) => node.textContent)")
        assert written[1:] == list(HOSTILE)


async def test_endless_marks_are_shown(page: Browser) -> None:
    """Thousands of marks that open and never close are shown like any other text, growing or whole."""
    for unit in ("*", "_", "`", "[", "[](", "> ", "- ", "|", "~", "<", "\\", "**a _b ", "|a\n|-", "#", "1. "):
        text = unit * (10_000 // len(unit))
        assert await page.run(RENDER, text, False)
        assert await page.run(RENDER, f"a{text}b", True)
