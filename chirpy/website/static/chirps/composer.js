/** Post a chirp. */

import { randomId, withJson } from "./api.js";
import { byId } from "./elements.js";
import { onSubmit } from "./failures.js";
import { callAsUser } from "./session.js";

const LIMIT = 140; // code points
const form = byId("composer");
const text = form.elements.body;
const count = byId("count");

/** Show the composer's counter, and call `posted` after each chirp. */
export function startComposer(posted) {
  let key = randomId();
  text.addEventListener("input", () => {
    key = randomId();
    showCount();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  onSubmit(form, async ({ body }) => {
    // With the key, a chirp that is sent again after a lost answer is posted once.
    await callAsUser(withJson("POST", "/api/chirps", { body }, { "Idempotency-Key": key }));
    key = randomId();
    form.reset();
    showCount();
    byId("posted").textContent = "Your chirp is posted.";
    posted();
  });
  showCount();
}

function showCount() {
  const left = LIMIT - [...text.value].length;
  count.textContent = left < 0 ? `${-left} too many` : `${left} left`;
  count.classList.toggle("over", left < 0);
}
