// Speaking with the server: one function for each thing that can be asked of it.

const KEY = "parley.key";

// A request that the server refused, or that did not reach it; `message` is for people.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function keep(key) {
  sessionStorage.setItem(KEY, key);
}

export function about() {
  return call("about").then((response) => response.json());
}

export function history(id) {
  return call(`conversations/${encodeURIComponent(id)}`).then((response) => response.json());
}

export function forget(id) {
  return call(`conversations/${encodeURIComponent(id)}`, { method: "DELETE" });
}

// Ask, and call `on.begin(id)`, `on.token(text)`, `on.withdraw()` and `on.done(note)`; throws Refused for an answer that failed.
export async function ask(message, id, signal, on) {
  const body = JSON.stringify(id ? { message, conversation_id: id } : { message });
  const headers = { "Content-Type": "application/json" };
  const response = await call("chat/stream", { method: "POST", headers, body, signal });
  on.begin(response.headers.get("X-Conversation-Id"));
  let over = false;
  for await (const [name, data] of events(response.body)) {
    if (name === "token") on.token(data.text);
    if (name === "withdraw") on.withdraw();
    if (name === "error") throw new Refused(502, data.error);
    if (name === "done") {
      over = true;
      on.done(data.note ?? "");
    }
  }
  if (!over) throw new Refused(0, "The connection broke off before the answer was whole.");
}

async function call(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${utf8(key)}` } : {}) };
  const response = await fetch(path, { ...options, headers, cache: "no-store" }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "Parley cannot be reached. Is it running?");
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Refused(response.status, error ?? `The server answered with ${response.status}.`);
}

// A header's letters are bytes: each letter of the result is one.
function utf8(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

// Server-sent events as [name, data], each as soon as it is whole.
async function* events(body) {
  let rest = "";
  for await (const chunk of chunks(body)) {
    const whole = (rest + chunk).split("\n\n");
    rest = whole.pop();
    for (const block of whole) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (name && data) yield [name, JSON.parse(data)];
    }
  }
}

async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read = await next(reader); !read.done; read = await next(reader)) yield read.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function next(reader) {
  return reader.read().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The connection broke off before the answer was whole.");
  });
}
