// Lists of markdown, nested as people and models write them: two spaces in are enough.

import { element } from "./inline.js";
import { nodes, unindent } from "./markdown.js";

const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:( +)(.*)|)$/;
const TASK = /^\[([ xX])\] +/;

export const list = { end, build };

export function isList(line) {
  return ITEM.test(line);
}

// Whether a list that begins at a line ends the paragraph above it: "2019. It was" does not.
export function interrupts(line) {
  const [, , mark, , text] = ITEM.exec(line) ?? [];
  return Boolean(text) && (kind(mark) !== "number" || parseInt(mark, 10) === 1);
}

// Where the list that begins at a line is over. `starts` tells whether another block begins.
function end(lines, at, starts) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  let last = at;
  for (let index = at + 1; index < lines.length; index++) {
    const line = lines[index];
    if (!line.trim()) continue;
    const inside = leading(line) >= indent.length + 2;
    const sibling = isList(line) && leading(line) >= indent.length && kind(ITEM.exec(line)[2]) === kind(mark);
    const lazy = index === last + 1 && !starts(lines, index);
    if (!inside && !sibling && !lazy) break;
    last = index;
  }
  return last + 1;
}

function build(lines, growing, depth) {
  const [, , mark] = ITEM.exec(lines[0]);
  const items = split(lines);
  const loose = items.some((item, index) => index < items.length - 1 && !item[item.length - 1].trim());
  const name = kind(mark) === "number" ? "ol" : "ul";
  const node = element(name, {}, ...items.map((item, index) =>
    entry(item, loose, growing && index === items.length - 1, depth)));
  if (name === "ol" && parseInt(mark, 10) !== 1) node.start = parseInt(mark, 10);
  return node;
}

// The lines of each item, its first line with the mark.
function split(lines) {
  const first = leading(lines[0]);
  const items = [];
  for (const line of lines) {
    if (isList(line) && leading(line) < first + 2) items.push([line]);
    else items[items.length - 1].push(line);
  }
  return items;
}

function entry(lines, loose, growing, depth) {
  const [, indent, mark, space = "", text = ""] = ITEM.exec(lines[0]);
  const rest = lines.slice(1);
  const second = rest.find((line) => line.trim());
  const widest = indent.length + mark.length + Math.min(space.length || 1, 4);
  const width = second ? Math.min(leading(second), widest) : widest;
  const task = TASK.exec(text);
  const content = [task ? text.slice(task[0].length) : text, ...rest.map((line) => unindent(line, width))];
  const children = nodes(content, growing, depth + 1);
  const paragraph = (child) => child.localName === "p";
  const bare = !loose && children.filter(paragraph).length < 2;
  const shown = bare ? children.flatMap((child) => paragraph(child) ? [...child.childNodes] : [child]) : children;
  return element("li", {}, ...(task ? [task[1] === " " ? "☐ " : "☑ "] : []), ...shown);
}

function kind(mark) {
  return /\d/.test(mark) ? "number" : mark;
}

function leading(line) {
  return /^ */.exec(line)[0].length;
}
