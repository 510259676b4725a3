/** Which users are Chirpy Red. A chirp has only the id of its author. */

import { POLL, call } from "./api.js";

const MAX_USERS = 100; // in one request

/** Dispatches "change" when a user has become red, or is red no more. */
export const members = new EventTarget();

const red = new Set();

export function isRed(userId) {
  return red.has(userId);
}

/** Ask the server about these users. */
export async function refreshMembers(userIds) {
  const asked = [...new Set(userIds)].slice(0, MAX_USERS);
  if (!asked.length) return;
  const query = new URLSearchParams(asked.map((userId) => ["user_id", userId]));
  const { json } = await call({ path: `/api/memberships?${query}`, headers: POLL });
  const changed = json.filter((user) => user.is_chirpy_red !== red.has(user.user_id));
  for (const user of changed) {
    if (user.is_chirpy_red) red.add(user.user_id);
    else red.delete(user.user_id);
  }
  if (changed.length) members.dispatchEvent(new Event("change"));
}
