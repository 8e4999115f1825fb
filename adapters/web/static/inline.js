// Markdown inside a line: text in, DOM nodes out. Nothing is ever parsed as HTML.

const SAFE = /^(https?:\/\/|mailto:)/i;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}]/u;
const DEEPEST = 12;
const DANGLING = /[*_~`]+$/;
const HALF_LINK = /!?\[([^\][]*)(?:\]\([^()\s]*|\])?$/;
const BREAK = /<br ?\/?>/iy;
const BARE = /https?:\/\/[^\s<>"`]+/y;
const ANGLED = /<(?:https?:\/\/|mailto:)[^\s<>]+>/iy;
const LINK = /(?:[^\\()\s<>]|\\.|\((?:[^\\()\s<>]|\\.)*\))*/y;
const TITLE = /\s+(?:"[^"]*"|'[^']*')/y;

// The nodes of a text. What is still open at the end of a growing one is shown as if it were closed.
export function inline(text, growing = false, depth = 0) {
  const shown = growing ? text.replace(DANGLING, "").replace(HALF_LINK, "$1") : text;
  return new Line(shown, growing, depth).read();
}

export function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function anchor(url, children) {
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

const TAKEN = ""; // what stands here has been dealt with and gives no node of its own

class Line {
  constructor(text, growing, depth) {
    this.text = text;
    this.growing = growing;
    this.depth = depth;
    this.at = 0;
    this.nodes = [];
    this.plain = "";
    this.absent = new Set(); // what was looked for and not in the rest of the line
  }

  read() {
    if (this.depth > DEEPEST) return [this.text];
    while (this.at < this.text.length) {
      const node = this.next();
      if (node === null) this.plain += this.text[this.at++];
      else if (node !== TAKEN) this.put(node);
    }
    this.flush();
    return this.nodes;
  }

  put(node) {
    this.flush();
    this.nodes.push(node);
  }

  flush() {
    if (this.plain) this.nodes.push(this.plain);
    this.plain = "";
  }

  next() {
    switch (this.text[this.at]) {
      case "\\": return this.escaped();
      case "\n": return this.newline();
      case "`": return this.code();
      case "*":
      case "_":
      case "~": return this.emphasis();
      case "!":
      case "[": return this.link();
      case "<": return this.angled();
      case "h": return WORD.test(this.text[this.at - 1] ?? " ") ? null : this.bare();
      default: return null;
    }
  }

  escaped() {
    const character = this.text[this.at + 1] ?? "";
    if (character === "\n") {
      this.at += 2;
      return element("br");
    }
    if (!PUNCTUATION.test(character)) return null;
    this.plain += character;
    this.at += 2;
    return TAKEN;
  }

  newline() {
    this.plain = this.plain.trimEnd();
    this.at += 1;
    return element("br");
  }

  code() {
    const marks = run(this.text, this.at);
    const start = this.at + marks.length;
    const end = this.closing(marks, start, (at) => run(this.text, at).length === marks.length && this.text[at - 1] !== "`");
    if (end < 0) return this.literal(marks);
    let content = this.text.slice(start, end).replaceAll("\n", " ");
    if (/^ .*[^ ].* $/.test(content) || /^ `|` $/.test(content)) content = content.slice(1, -1);
    this.at = end + marks.length;
    return element("code", {}, content);
  }

  // `*one*`, `**two**`, `***three***`, `~~gone~~`; underscores only at the edges of words.
  emphasis() {
    const sign = this.text[this.at];
    const marks = run(this.text, this.at);
    const width = sign === "~" ? 2 : Math.min(marks.length, 3);
    const start = this.at + width;
    const inWord = sign === "_" && WORD.test(this.text[this.at - 1] ?? " ");
    if (marks.length < width || marks.length > 3 || inWord || /^\s|^$/.test(this.text[start] ?? "")) {
      return this.literal(marks);
    }
    const wanted = marks.slice(0, width);
    const end = this.closing(wanted, start, (at) => this.closes(sign, width, at));
    if (end < 0) return this.literal(marks);
    this.at = end + width;
    const children = inline(this.text.slice(start, end), false, this.depth + 1);
    if (sign === "~") return element("del", {}, ...children);
    if (width === 1) return element("em", {}, ...children);
    const strong = element("strong", {}, ...children);
    return width === 3 ? element("em", {}, strong) : strong;
  }

  closes(sign, width, at) {
    if (/\s/.test(this.text[at - 1]) || this.text[at - 1] === "\\") return false;
    const length = run(this.text, at).length;
    const whole = this.text[at - 1] !== sign && (length === width || length >= 3);
    return whole && !(sign === "_" && WORD.test(this.text[at + width] ?? " "));
  }

  // The place of the next `wanted` that passes; what is found absent once is not looked for again.
  closing(wanted, start, passes) {
    if (this.absent.has(wanted)) return this.growing ? this.text.length : -1;
    for (let at = this.text.indexOf(wanted, start); at >= 0; at = this.text.indexOf(wanted, at + 1)) {
      if (passes(at)) return at;
    }
    this.absent.add(wanted);
    return this.growing ? this.text.length : -1;
  }

  // `[text](url "title")`; an image is a link, since nothing is loaded from elsewhere.
  link() {
    const open = this.text[this.at] === "!" ? this.at + 1 : this.at;
    const close = (this.brackets ??= pairs(this.text)).get(open);
    if (close === undefined || this.text[close + 1] !== "(") return null;
    const url = sticky(LINK, this.text, close + 2) ?? "";
    const title = sticky(TITLE, this.text, close + 2 + url.length) ?? "";
    const end = close + 2 + url.length + title.length;
    if (this.text[end] !== ")" || !SAFE.test(url)) return null;
    const children = inline(this.text.slice(open + 1, close), false, this.depth + 1);
    this.at = end + 1;
    return anchor(url.replace(/\\([!-/:-@[-`{-~])/g, "$1"), children.length ? children : [url]);
  }

  bare() {
    BARE.lastIndex = this.at;
    const found = BARE.exec(this.text)?.[0];
    if (!found) return null;
    let url = found.replace(/[.,;:!?*_~'"]+$/, "");
    while (url.endsWith(")") && url.split(")").length > url.split("(").length) url = url.slice(0, -1);
    this.at += url.length;
    return anchor(url, [url]);
  }

  angled() {
    const line = sticky(BREAK, this.text, this.at);
    const link = line ? "" : sticky(ANGLED, this.text, this.at);
    if (!line && !link) return null;
    this.at += (line ?? link).length;
    return line ? element("br") : anchor(link.slice(1, -1), [link.slice(1, -1).replace(/^mailto:/i, "")]);
  }

  literal(marks) {
    this.plain += marks;
    this.at += marks.length;
    return TAKEN;
  }
}

// Where each opening bracket is closed.
function pairs(text) {
  const found = new Map();
  const open = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "[") open.push(at);
    else if (text[at] === "]" && open.length) found.set(open.pop(), at);
  }
  return found;
}

function run(text, at) {
  let end = at;
  while (text[end] === text[at]) end += 1;
  return text.slice(at, end);
}

function sticky(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
