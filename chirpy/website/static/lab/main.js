/** The webhook lab: send a step, and show what it does. Only a development server has it. */

import { byId, element } from "../chirps/elements.js";
import { showFailure } from "../chirps/failures.js";
import { members, refreshMembers } from "../chirps/members.js";
import { poll } from "../chirps/polling.js";
import { session } from "../chirps/session.js";
import { showResult, showStep } from "./exhibit.js";
import { changedIds, readLog, showLog } from "./log.js";
import { GROUPS } from "./steps.js";
import { addTestUser, showChoices, showSubject, subject, subjectId } from "./subjects.js";

const exhibit = byId("exhibit");
let marked = new Set();

byId("steps").append(...GROUPS.map(showGroup));
byId("new-user").addEventListener("click", async () => {
  await attempt("subject-problem", addTestUser);
  showOther();
});
byId("subject").addEventListener("change", showOther);
members.addEventListener("change", showSubject);
session.addEventListener("change", () => refresh());
const refresh = poll(update);

/** Show the log of the user who is chosen now. */
function showOther() {
  marked = new Set();
  return refresh();
}

function showGroup({ title, steps }) {
  const buttons = steps.map((step) => {
    const button = element("button", { type: "button" }, step.label);
    button.addEventListener("click", () => run(step, button));
    if (step.isFirst) byId("start").addEventListener("click", () => start(button));
    return button;
  });
  return element("div", { role: "group", "aria-label": title }, element("h3", {}, title), ...buttons);
}

/** Run the step that the lab suggests. The focus stays on what is visible. */
function start(button) {
  button.focus({ preventScroll: true });
  button.click();
}

async function run(step, button) {
  if (exhibit.getAttribute("aria-busy") === "true") return;
  exhibit.setAttribute("aria-busy", "true");
  byId("steps").querySelector("[aria-current]")?.removeAttribute("aria-current");
  button.setAttribute("aria-current", "step");
  showStep(step);
  await attempt("exhibit-problem", () => send(step));
  exhibit.setAttribute("aria-busy", "false");
  showTop(exhibit);
}

/** Scroll to the result if its top is not in sight, as on a phone. */
function showTop(node) {
  const { top } = node.getBoundingClientRect();
  if (top < 0 || top > 0.7 * innerHeight) node.scrollIntoView();
}

async function send(step) {
  const user = await subject();
  const before = await readLog(user.id);
  const batches = await step.run(user);
  const after = await readLog(user.id);
  marked = changedIds(before, after);
  const known = new Set(before.map((row) => row.event_id));
  showResult(batches, after.filter((row) => !known.has(row.event_id)).length);
  await refresh();
}

/** Refresh what the database holds about the user. */
async function update() {
  showChoices();
  const id = subjectId();
  if (id) {
    await attempt("log-problem", async () => {
      const [rows] = await Promise.all([readLog(id), refreshMembers([id])]);
      if (id === subjectId()) showLog(rows, marked);
    }, true);
  }
  showSubject();
}

/** Act, and show a failure in the element with this id. */
async function attempt(place, act, rethrow = false) {
  try {
    await act();
    showFailure(byId(place));
  } catch (failure) {
    showFailure(byId(place), failure);
    if (rethrow) throw failure;
  }
}
