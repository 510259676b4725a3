/** Show one chirp. */

import { bird, birdName } from "./birds.js";
import { element } from "./elements.js";
import { showFailure } from "./failures.js";
import { isRed } from "./members.js";
import { callAsUser, currentUser } from "./session.js";

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60]];

/** Return the list item of a chirp. `deleted` is called when its author has deleted it. */
export function chirpItem(chirp, deleted) {
  const problem = element("div", { className: "problem", role: "alert" });
  const item = element("li", { className: "chirp" },
    bird(chirp.user_id),
    element("p", { className: "byline" },
      element("strong"), element("span", { className: "badge", hidden: true }, "Chirpy Red"),
      element("time", { dateTime: chirp.created_at })),
    element("p", { className: "words" }, chirp.body),
    element("button", { className: "delete", hidden: true, "aria-label": `Delete “${chirp.body}”` }, "Delete"),
    problem);
  item.chirp = chirp;
  item.querySelector("button").addEventListener("click", () => remove(chirp, deleted, problem));
  updateItem(item);
  return item;
}

/** Show what can change: whose chirp it is, whether the author is red, how old it is. */
export function updateItem(item) {
  const { user_id, created_at } = item.chirp;
  const mine = currentUser()?.id === user_id;
  const red = isRed(user_id);
  item.querySelector("strong").textContent = mine ? "You" : birdName(user_id);
  item.querySelector(".badge").hidden = !red;
  item.querySelector(".bird").classList.toggle("red", red);
  item.querySelector("button").hidden = !mine;
  item.querySelector("time").textContent = age(created_at);
}

async function remove(chirp, deleted, problem) {
  try {
    await callAsUser({ method: "DELETE", path: `/api/chirps/${chirp.id}` });
    deleted(chirp);
  } catch (failure) {
    showFailure(problem, failure);
  }
}

function age(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  const unit = UNITS.find(([, length]) => seconds >= length);
  return unit ? RELATIVE.format(-Math.floor(seconds / unit[1]), unit[0]) : "just now";
}
