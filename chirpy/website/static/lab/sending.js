/** Send what the lab shows. A batch is one request and all answers to it. */

import { call, randomId, send, withJson } from "../chirps/api.js";

/** Return the text of an event about a user, with an id of its own and the time `age` ms ago. */
export function eventText(event, userId, { id = newEventId(), age = 0 } = {}) {
  const timestamp = new Date(Date.now() - age).toISOString();
  return JSON.stringify({ id, timestamp, event, data: { user_id: userId } }, null, 2);
}

export function newEventId() {
  return `evt_lab_${randomId().slice(0, 8)}`;
}

/** Deliver a body to the webhook as Polka does. `spoil` changes the credentials before. */
export async function deliver(body, { times = 1, concurrent = false, spoil, title = "" } = {}) {
  const id = /"id": "([^"]+)"/.exec(body)?.[1] ?? newEventId();
  const { json: credentials } = await call(withJson("POST", "/admin/webhooks/credentials", { id, body }));
  const headers = { ...(spoil ? spoil(credentials) : credentials), "Content-Type": "application/json" };
  const request = { method: "POST", path: "/api/polka/webhooks", headers, body };
  return { title, request, concurrent, answers: await sendAll(request, times, concurrent) };
}

/** Post one chirp five times, as a user with this access token. */
export async function postFive(token, body, headers = {}) {
  const authorized = { Authorization: `Bearer ${token}`, ...headers };
  const request = withJson("POST", "/api/chirps", { body }, authorized);
  return { title: "", request, concurrent: false, answers: await sendAll(request, 5, false) };
}

async function sendAll(request, times, concurrent) {
  const turns = Array.from({ length: times });
  if (concurrent) return Promise.all(turns.map(() => send(request)));
  const answers = [];
  for (const _ of turns) answers.push(await send(request));
  return answers;
}

/** Return in one word what an answer says. */
export function kindOf({ status, headers }) {
  if (status >= 400) return "refused";
  return headers.get("Webhook-Outcome") ?? (headers.get("Idempotency-Replayed") ? "replayed" : "created");
}
