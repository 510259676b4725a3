/** What the lab can send, and why Chirpy answers as it does. `run` returns batches; `isFirst` marks the step to start with. */

import { randomId } from "../chirps/api.js";
import { deliver, eventText, newEventId, postFive } from "./sending.js";

const UPGRADED = "user.upgraded";
const DOWNGRADED = "user.downgraded";
const MINUTE = 60_000; // milliseconds

/** Return wrong credentials of the same kinds. */
function spoil(credentials) {
  const wrong = { Authorization: "ApiKey not-the-key", "webhook-signature": "v1,bm90IHRoZSBzaWduYXR1cmU=" };
  return Object.fromEntries(Object.entries(credentials).map(([name, value]) => [name, wrong[name] ?? value]));
}

const DELIVERIES = [
  {
    label: "An upgrade, once",
    why: "Polka reports one payment. The 204 is sent after Postgres has committed: until it arrives, Polka must assume that nothing was stored, and deliver again.",
    run: async ({ id }) => [await deliver(eventText(UPGRADED, id))],
  },
  {
    label: "An upgrade, five times",
    isFirst: true,
    why: "Nothing happened twice. All five deliveries have the same event id, and a unique constraint in Postgres allows one row for each id. The first made the row and changed the user; the others found that row, so they are duplicates: the same 204, and no effect.",
    run: async ({ id }) => [await deliver(eventText(UPGRADED, id), { times: 5 })],
  },
  {
    label: "Five times concurrently",
    why: "Nothing happened twice, although all five arrived at the same moment. A look-up beforehand would find nothing five times. The unique constraint lets one in; the other four wait for its commit, and are then duplicates.",
    run: async ({ id }) => [await deliver(eventText(UPGRADED, id), { times: 5, concurrent: true })],
  },
  {
    label: "A downgrade",
    why: "The event says what the membership is now; it does not switch it. Setting it a second time changes nothing, so this can be repeated too.",
    run: async ({ id }) => [await deliver(eventText(DOWNGRADED, id))],
  },
  {
    label: "An older upgrade, late",
    why: "The order of arrival does not count, because deliveries can overtake each other. The timestamp says when an event happened, so the upgrade of a minute ago is stale, and cannot undo the newer downgrade.",
    run: async ({ id }) => [
      await deliver(eventText(DOWNGRADED, id), { title: "First, a downgrade that happened now" }),
      await deliver(eventText(UPGRADED, id, { age: MINUTE }), { title: "Then, an upgrade that happened a minute ago" }),
    ],
  },
];

const REFUSED = [
  {
    label: "A wrong key",
    why: "Anybody can send a request to this address. Without the right key the answer is a 401, before the body is read as JSON, and nothing is stored.",
    run: async ({ id }) => [await deliver(eventText(UPGRADED, id), { spoil })],
  },
  {
    label: "A broken body",
    why: "JSON that breaks off is a 400 that says where. A 2xx would tell Polka that the event has arrived, and it would be lost.",
    run: async ({ id }) => [await deliver(eventText(UPGRADED, id).slice(0, -20))],
  },
  {
    label: "One id, two meanings",
    why: "An id belongs to one event. The first event stays as it is; the second is not a duplicate but a mistake of the sender, so it is a 409 and not silently dropped.",
    run: async ({ id }) => {
      const event = newEventId();
      return [
        await deliver(eventText(UPGRADED, id, { id: event }), { title: "First, an upgrade" }),
        await deliver(eventText(DOWNGRADED, id, { id: event }), { title: "Then, a downgrade with the same id" }),
      ];
    },
  },
];

const CHIRPS = [
  {
    label: "Five equal chirps",
    why: "Here everything happened five times. People may repeat themselves, so five equal requests are five chirps. A client that got no answer cannot know whether to send this request again.",
    run: async ({ token }) => [await postFive(await token(), `Is this on? ${randomId().slice(0, 4)}`)],
  },
  {
    label: "Five, with an Idempotency-Key",
    why: "Nothing happened twice. The key says that all five are one request: a unique constraint keeps one chirp, and the other four answers are that chirp again.",
    run: async ({ token }) => {
      const key = `lab-${randomId().slice(0, 12)}`;
      return [await postFive(await token(), `Once is enough. ${key.slice(-4)}`, { "Idempotency-Key": key })];
    },
  },
];

export const GROUPS = [
  { title: "Deliver to the webhook", steps: DELIVERIES },
  { title: "Make it refuse", steps: REFUSED },
  { title: "Compare with posting chirps", steps: CHIRPS },
];
