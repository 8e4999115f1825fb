// Markdown as DOM: blocks here, what is inside a line in inline.js. Nothing is ever parsed as HTML.

import { element, inline } from "./inline.js";
import { interrupts, isList, list } from "./list.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const QUOTE = /^ {0,3}> ?/;
const DIVISION = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const DEEPEST = 12;

// Shows a text in an element, and as it grows changes only the blocks that changed.
export class Shown {
  constructor(target) {
    this.target = target;
    this.sources = [];
  }

  show(text, growing) {
    const found = blocks(text.split(/\r\n|\r|\n/));
    found.forEach((block, index) => {
      const open = growing && index === found.length - 1;
      const source = `${open ? "~" : "="}${block.lines.join("\n")}`;
      if (this.sources[index] === source) return;
      this.sources[index] = source;
      const node = block.build(block.lines, open, 0);
      if (this.target.children[index]) this.target.children[index].replaceWith(node);
      else this.target.append(node);
    });
    while (this.target.children.length > found.length) this.target.lastElementChild.remove();
    this.sources.length = found.length;
  }
}

// The nodes of some lines, inside of a quote or a list.
export function nodes(lines, growing, depth) {
  if (depth > DEEPEST) return [element("p", {}, lines.join("\n"))];
  const found = blocks(lines);
  return found.map((block, index) => block.build(block.lines, growing && index === found.length - 1, depth));
}

// What a text consists of: for each block its lines, and how its element is built.
function blocks(lines) {
  const found = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [end, build] = block(lines, at);
    found.push({ lines: lines.slice(at, end), build });
    at = end;
  }
  return found;
}

function block(lines, at) {
  const line = lines[at];
  if (FENCE.test(line)) return [fenced(lines, at), fence];
  if (HEADING.test(line)) return [at + 1, heading];
  if (RULE.test(line)) return [at + 1, () => element("hr")];
  if (QUOTE.test(line)) return [until(lines, at, (other) => !QUOTE.test(other)), quote];
  if (isList(line)) return [list.end(lines, at, starts), list.build];
  if (isTable(lines, at)) return [until(lines, at, (other) => !other.includes("|")), table];
  return [until(lines, at + 1, (other, index) => starts(lines, index)), paragraph];
}

// Whether a block other than a paragraph begins here, so that a paragraph above it is over.
function starts(lines, at) {
  const line = lines[at];
  const plain = !line.trim() || [FENCE, HEADING, RULE, QUOTE].some((pattern) => pattern.test(line));
  return plain || interrupts(line) || isTable(lines, at);
}

function isTable(lines, at) {
  const division = lines[at + 1] ?? "";
  return lines[at].includes("|") && division.includes("-") && DIVISION.test(division)
    && cells(division).length === cells(lines[at]).length;
}

function until(lines, at, over) {
  let end = at;
  while (end < lines.length && lines[end].trim() && !over(lines[end], end)) end += 1;
  return end;
}

function fenced(lines, at) {
  const marks = FENCE.exec(lines[at])[1];
  const closing = new RegExp(`^ {0,3}\\${marks[0]}{${marks.length},}[ \\t]*$`);
  const end = lines.findIndex((line, index) => index > at && closing.test(line));
  return end < 0 ? lines.length : end + 1;
}

function fence(lines) {
  const [, marks, info] = FENCE.exec(lines[0]);
  const last = lines[lines.length - 1].trim();
  const closed = lines.length > 1 && last.length >= marks.length && [...last].every((mark) => mark === marks[0]);
  const indent = /^ */.exec(lines[0])[0].length;
  const inside = lines.slice(1, closed ? -1 : undefined).map((line) => unindent(line, indent));
  const code = element("code", {}, inside.join("\n"));
  const copy = element("button", { type: "button", className: "copy" }, "Copy");
  copy.hidden = !navigator.clipboard;
  const header = element("header", {}, element("span", {}, info.trim().split(/\s/)[0]), copy);
  return element("div", { className: "fence" }, header, element("pre", { tabIndex: 0 }, code));
}

function heading([line], growing) {
  const [, marks, text = ""] = HEADING.exec(line);
  return element(`h${marks.length}`, {}, ...inline(text.replace(/(^|[ \t]+)#+[ \t]*$/, "").trim(), growing));
}

function quote(lines, growing, depth) {
  const inside = lines.map((line) => line.replace(QUOTE, ""));
  return element("blockquote", {}, ...nodes(inside, growing, depth + 1));
}

// A table that has only begun is held back until it can be one.
function paragraph(lines, growing) {
  const begun = growing && lines.every((line) => line.trimStart().startsWith("|"));
  const text = lines.map((line) => line.trimStart()).join("\n").trimEnd();
  return element("p", {}, ...(begun ? [] : inline(text, growing)));
}

function table(lines, growing) {
  const sides = cells(lines[1]).map((cell) => {
    if (!cell.endsWith(":")) return "";
    return cell.startsWith(":") ? "center" : "end";
  });
  const row = (line, name) => {
    const texts = cells(line);
    const open = growing && line === lines[lines.length - 1];
    return element("tr", {}, ...sides.map((className, index) =>
      element(name, { className }, ...inline(texts[index] ?? "", open && index === texts.length - 1))));
  };
  const head = element("thead", {}, row(lines[0], "th"));
  const body = element("tbody", {}, ...lines.slice(2).map((line) => row(line, "td")));
  return element("div", { className: "table", tabIndex: 0 }, element("table", {}, head, body));
}

function cells(line) {
  const bare = line.trim().replace(/^\|/, "").replace(/([^\\]|^)\|$/, "$1");
  const found = [""];
  for (const part of bare.split(/(\\\||\|)/)) {
    if (part === "|") found.push("");
    else found[found.length - 1] += part === "\\|" ? "|" : part;
  }
  return found.map((cell) => cell.trim());
}

export function unindent(line, width) {
  const leading = /^ */.exec(line)[0].length;
  return line.slice(Math.min(leading, width));
}
