/** Send requests to the server of this page. */

/** The header of a request that a page repeats: a development server does not log it. */
export const POLL = { "Chirpy-Poll": "1" };

/** A failure to show: what is wrong, what to do next, and which fields are wrong. */
export class Failure extends Error {
  constructor({ error, hint = "", fields = {} }, answer = null) {
    super(error);
    Object.assign(this, { hint, fields, status: answer?.status ?? 0, retryAfter: retryAfter(answer) });
  }
}

/** Send a request, and return its answer with any status. Throw a Failure if none comes. */
export async function send({ method = "GET", path, headers = {}, body }) {
  try {
    const response = await fetch(path, { method, headers, body, cache: "no-store" });
    const text = await response.text();
    return { status: response.status, reason: response.statusText, headers: response.headers, text };
  } catch {
    throw new Failure({ error: "The server does not answer", hint: "Start it with `make run`." });
  }
}

/** Send a request, and return the answer with its JSON. Throw a Failure unless it is a 2xx. */
export async function call(request) {
  const answer = await send(request);
  const json = parse(answer.text);
  if (answer.status >= 400) {
    throw new Failure(json ?? { error: `The server answered ${answer.status}` }, answer);
  }
  return { ...answer, json };
}

/** Return a request with this value as its JSON. */
export function withJson(method, path, value, headers = {}) {
  const body = JSON.stringify(value);
  return { method, path, headers: { ...headers, "Content-Type": "application/json" }, body };
}

/** Return 16 random bytes in hexadecimal. `crypto.randomUUID` works with HTTPS and localhost only. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function retryAfter(answer) {
  return Number(answer?.headers.get("Retry-After")) || 0; // seconds
}
