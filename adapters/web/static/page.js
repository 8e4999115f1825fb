// The page: what the person does, and what comes of it.

import { Log } from "./log.js";
import { about, ask, forget, history, keep } from "./talk.js";

const LONGEST = 10_000;
const GONE = "That conversation was forgotten. This is a new one.";
const at = (id) => document.getElementById(id);
const log = new Log(at("log"), at("scroll"));
const field = at("message");

let conversation = "";
let loading = ""; // the id of the conversation that is being read back
let running = null; // the AbortController of the answer that is being written

// The conversation is named in the address, so that it survives a reload.
function enter(id, way = "replaceState") {
  conversation = id;
  at("conversation-id").textContent = id;
  at("conversation").hidden = at("forget").hidden = !id;
  if (location.hash.slice(1) !== id) window.history[way](null, "", id ? `#${id}` : location.pathname);
}

function clear() {
  running?.abort();
  running = null;
  conversation = loading = "";
  log.clear();
  at("welcome").hidden = false;
  at("scroll").scrollTop = 0;
  busy(false);
}

function begin(way) {
  clear();
  enter("", way);
  field.focus();
}

async function restore() {
  const id = location.hash.slice(1);
  if (id === conversation) return;
  clear();
  if (!id) {
    enter("");
    return;
  }
  loading = id;
  at("welcome").hidden = true;
  weigh();
  try {
    const { messages } = await history(id);
    if (loading !== id) return;
    loading = "";
    enter(id);
    show(messages);
  } catch (error) {
    if (loading !== id) return;
    loading = "";
    if (error.status === 404) begin("replaceState");
    fail(error, restore);
  }
  weigh();
}

function show(messages) {
  at("welcome").hidden = messages.length > 0;
  for (const { role, content } of messages) {
    if (role === "user") {
      log.question(content);
    } else {
      const answer = log.answer();
      answer.add(content);
      answer.end();
    }
  }
  log.toEnd();
}

async function send(message) {
  if (running || loading) return;
  const mine = running = new AbortController();
  at("welcome").hidden = true;
  const question = log.question(message);
  const answer = log.answer();
  busy(true);
  try {
    await ask(message, conversation, mine.signal, {
      begin: enter,
      token: (text) => answer.add(text),
      withdraw: () => answer.withdraw(),
      done: (note) => answer.end(note),
    });
    at("said").textContent = "The answer is whole.";
  } catch (error) {
    ended(error, answer, question, message, mine.signal.aborted);
  } finally {
    if (running === mine) running = null;
    busy(Boolean(running));
  }
}

function ended(error, answer, question, message, stopped) {
  if (stopped) {
    answer.end("Stopped.");
    return;
  }
  answer.end();
  if (error.status === 404 && conversation) {
    question.remove();
    enter("");
    log.divider(GONE);
    setTimeout(() => send(message));
    return;
  }
  fail(error, () => {
    if (!answer.text) question.remove();
    send(message);
  });
}

// Tell what went wrong; where a key is what is missing, ask for it and then go on.
function fail(error, retry) {
  if (error.status === 401) unlock(retry);
  else if (error.status === 404) log.divider(GONE);
  else log.error(error.message, retry);
}

function unlock(retry) {
  const reason = at("lock-reason");
  if (sessionStorage.length) {
    reason.textContent = "That key does not fit. Try another.";
    reason.className = "wrong";
  }
  at("key").value = "";
  at("unlock").onsubmit = (event) => {
    event.preventDefault();
    keep(at("key").value.trim());
    at("lock").close();
    retry();
  };
  if (!at("lock").open) at("lock").showModal();
}

async function introduce() {
  try {
    const { model } = await about();
    at("trial").hidden = !model.trial;
    at("reader").textContent = `Read and answered by ${model.reader}.`;
    await restore();
  } catch (error) {
    fail(error, introduce);
  }
}

function busy(writing) {
  at("send").hidden = writing;
  at("stop").hidden = !writing;
  weigh();
}

function weigh() {
  const length = [...field.value].length;
  at("count").textContent = length > LONGEST ? `${length - LONGEST} characters too long.` : "";
  at("send").disabled = Boolean(loading) || !field.value.trim() || length > LONGEST;
  if (!CSS.supports("field-sizing", "content")) {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }
}

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  weigh();
  if (running || at("send").disabled) return;
  send(field.value.trim());
  field.value = "";
  weigh();
});

field.addEventListener("input", weigh);
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at("composer").requestSubmit();
});

at("stop").addEventListener("click", () => {
  running?.abort();
  field.focus();
});
at("new").addEventListener("click", () => begin("pushState"));
at("ideas").addEventListener("click", (event) => {
  if (event.target.closest("button")) send(event.target.closest("button").textContent);
});

at("forget").addEventListener("click", async ({ currentTarget: button }) => {
  if (!button.classList.toggle("sure")) {
    button.textContent = "Forget";
    await forget(conversation).then(() => begin("replaceState"), (error) => fail(error, () => button.click()));
    return;
  }
  button.textContent = "Really forget?";
});
at("forget").addEventListener("blur", ({ currentTarget: button }) => {
  button.classList.remove("sure");
  button.textContent = "Forget";
});

window.addEventListener("hashchange", restore);
at("lock").addEventListener("cancel", (event) => event.preventDefault());
introduce();
weigh();
if (matchMedia("(hover: hover)").matches) field.focus();
