/** The feed: the newest chirps, which stay up to date while the page is visible. */

import { POLL, call } from "./api.js";
import { chirpItem, updateItem } from "./chirp.js";
import { byId } from "./elements.js";
import { showFailure } from "./failures.js";
import { members, refreshMembers } from "./members.js";
import { poll } from "./polling.js";
import { currentUser, session } from "./session.js";

const NEWEST = "/api/chirps?sort=desc&limit=30";
const list = byId("feed");
const older = byId("older");
const items = new Map(); // by the id of the chirp

/** Show the feed. Return a function that refreshes it now. */
export function startFeed() {
  older.addEventListener("click", showOlder);
  session.addEventListener("change", updateItems);
  members.addEventListener("change", updateItems);
  return poll(refresh);
}

/** Return the ids of the authors in the feed, newest first, each once. */
export function authors() {
  return [...new Set(Array.from(list.children, (item) => item.chirp.user_id))];
}

async function refresh() {
  try {
    const { json: page, headers } = await call({ path: NEWEST, headers: POLL });
    const next = nextPage(headers);
    if (next && !page.some((chirp) => items.has(chirp.id))) items.clear(); // nothing, or too much, is new
    if (!items.size) list.replaceChildren(), setOlder(next);
    removeMissing(page, next);
    showNew(page);
    await refreshMembers([...authors(), currentUser()?.id].filter(Boolean));
    showFailure(byId("feed-problem"));
  } catch (failure) {
    showFailure(byId("feed-problem"), failure);
    throw failure;
  }
  updateItems();
}

/** Remove the chirps that were deleted. Those older than the page can still exist. */
function removeMissing(page, next) {
  const ids = new Set(page.map((chirp) => chirp.id));
  const oldest = next ? page.at(-1).created_at : "";
  for (const [id, item] of items) {
    if (item.chirp.created_at >= oldest && !ids.has(id)) forget(item.chirp);
  }
}

function showNew(page) {
  const fresh = page.filter((chirp) => !items.has(chirp.id));
  const first = !items.size;
  list.prepend(...fresh.map(newItem));
  const others = fresh.filter((chirp) => chirp.user_id !== currentUser()?.id).length;
  if (others && !first) byId("feed-news").textContent = `${others} new ${others > 1 ? "chirps" : "chirp"}`;
  byId("feed-empty").hidden = items.size > 0;
}

async function showOlder() {
  try {
    const { json: page, headers } = await call({ path: older.dataset.path });
    list.append(...page.filter((chirp) => !items.has(chirp.id)).map(newItem));
    setOlder(nextPage(headers));
  } catch (failure) {
    showFailure(byId("feed-problem"), failure);
  }
}

function newItem(chirp) {
  const item = chirpItem(chirp, removeOwn);
  items.set(chirp.id, item);
  return item;
}

function removeOwn(chirp) {
  forget(chirp);
  byId("feed-news").textContent = "Your chirp is deleted.";
  byId("chirps").focus();
}

function forget(chirp) {
  items.get(chirp.id)?.remove();
  items.delete(chirp.id);
}

function updateItems() {
  items.forEach(updateItem);
}

function setOlder(path) {
  older.hidden = !path;
  older.dataset.path = path;
}

/** Return the path in the header Link (RFC 8288) of a page, or "". */
function nextPage(headers) {
  return /<([^>]+)>; rel="next"/.exec(headers.get("Link") ?? "")?.[1] ?? "";
}
