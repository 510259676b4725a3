/** The delivery log of one user, as it is in Postgres. */

import { POLL, call } from "../chirps/api.js";
import { byId, element } from "../chirps/elements.js";

const ROWS = 5; // a step adds two at most
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
let shown = "";

/** Return the newest rows of the log about a user. */
export async function readLog(userId) {
  const path = `/admin/webhooks?user_id=${userId}&limit=${ROWS}`;
  return (await call({ path, headers: POLL })).json;
}

/** Show rows, and mark those with an id in `marked`. */
export function showLog(rows, marked = new Set()) {
  const text = JSON.stringify([rows, [...marked]]);
  if (text === shown) return;
  shown = text;
  const empty = element("tr", {}, element("td", { colSpan: 5, className: "nothing" }, "No event yet"));
  byId("log").replaceChildren(...(rows.length ? rows.map((row) => tableRow(row, marked)) : [empty]));
}

/** Return the ids of the rows that are new, or were delivered again. */
export function changedIds(before, after) {
  const known = new Map(before.map((row) => [row.event_id, row.deliveries]));
  return new Set(after.filter((row) => known.get(row.event_id) !== row.deliveries).map((row) => row.event_id));
}

function tableRow(row, marked) {
  const cells = [
    element("td", {}, row.type),
    element("td", { className: "number" }, String(row.deliveries)),
    element("td", {}, element("span", { className: `stamp ${row.outcome}` }, row.outcome)),
    element("td", {}, element("code", { title: row.event_id }, row.event_id.slice(0, 20))),
    element("td", {}, TIME.format(new Date(row.last_delivered_at))),
  ];
  return element("tr", { className: marked.has(row.event_id) ? "fresh" : "" }, ...cells);
}
