// The conversation as it stands on the page: questions, answers that grow, errors.

import { element } from "./inline.js";
import { Shown } from "./markdown.js";

const NEAR = 80; // pixels from the end within which the page follows the text

// The list of what was said, in the element `log`, which scrolls in `scroll`.
export class Log {
  constructor(log, scroll) {
    this.log = log;
    this.scroll = scroll;
    log.addEventListener("click", copy);
  }

  clear() {
    this.log.replaceChildren();
  }

  question(text) {
    const node = this.put(element("div", { className: "question" }, text));
    this.toEnd();
    return node;
  }

  answer() {
    return new Answer(this);
  }

  divider(text) {
    return this.put(element("p", { className: "divider" }, text));
  }

  // An error, with a way to try again.
  error(text, retry) {
    const again = element("button", { type: "button" }, "Try again");
    const node = element("div", { className: "error" }, element("p", {}, text), again);
    node.setAttribute("role", "alert");
    again.addEventListener("click", () => {
      node.remove();
      retry();
    });
    this.follow(() => this.put(node));
  }

  put(node) {
    this.log.append(node);
    return node;
  }

  // Change something, and stay at the end if the reader was there.
  follow(change) {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    change();
    if (near) this.toEnd();
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}

// One answer: it grows by pieces, drawn at most once a frame, and ends once.
class Answer {
  constructor(log) {
    this.log = log;
    this.text = "";
    this.growing = true;
    this.frame = 0;
    this.target = element("div", { className: "text" });
    this.shown = new Shown(this.target);
    this.node = element("article", { className: "answer growing", ariaBusy: "true" }, this.target);
    log.follow(() => log.put(this.node));
  }

  add(text) {
    this.text += text;
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  // What was added so far is no part of the answer.
  withdraw() {
    this.text = "";
    this.target.replaceChildren();
    this.shown = new Shown(this.target);
  }

  end(note = "") {
    cancelAnimationFrame(this.frame);
    this.growing = false;
    this.node.classList.remove("growing");
    this.node.ariaBusy = "false";
    this.draw();
    if (!this.text.trim() && !note) this.node.remove();
    if (note) this.log.follow(() => this.node.append(element("p", { className: "note" }, note)));
  }

  draw() {
    this.frame = 0;
    this.log.follow(() => this.shown.show(this.text, this.growing));
  }
}

async function copy(event) {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const code = button.closest(".fence").querySelector("code").textContent;
  const copied = await navigator.clipboard.writeText(code).then(() => true, () => false);
  button.textContent = copied ? "Copied" : "Not copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1600);
}
