/** The user whom the lab's events are about: the current user, an author, or a test user. */

import { Failure, call, randomId, withJson } from "../chirps/api.js";
import { birdName, paint } from "../chirps/birds.js";
import { byId, element } from "../chirps/elements.js";
import { authors } from "../chirps/feed.js";
import { isRed } from "../chirps/members.js";
import { currentUser } from "../chirps/session.js";

const KEY = "chirpy.lab";
const PASSWORD = "lab-password"; // of all test users
const testUsers = JSON.parse(sessionStorage.getItem(KEY)) ?? [];
const select = byId("subject");
let adding = null; // a promise while a test user is signed up

/** Return the id of the user, or "". */
export function subjectId() {
  return select.value;
}

/** Return the user. Without one, sign up a test user. */
export async function subject() {
  await adding; // a step can be clicked right after "New test user"
  showChoices();
  if (!subjectId()) await addTestUser();
  const id = subjectId();
  return { id, token: () => tokenOf(id) };
}

/** Sign up a test user and choose it. A second click meanwhile adds no second one. */
export function addTestUser() {
  adding ??= signUpTestUser().finally(() => {
    adding = null;
  });
  return adding;
}

async function signUpTestUser() {
  const email = `lab-${randomId().slice(0, 8)}@example.com`;
  const { json: user } = await call(withJson("POST", "/api/users", { email, password: PASSWORD }));
  testUsers.unshift({ id: user.id, email });
  sessionStorage.setItem(KEY, JSON.stringify(testUsers));
  showChoices();
  select.value = user.id;
  showSubject();
}

/** Fill the list again if there are other users than before. The choice stays. */
export function showChoices() {
  const me = currentUser();
  const known = new Map(me ? [[me.id, `You, ${me.email}`]] : []);
  if (!me && !testUsers.length) known.set("", "A new test user");
  for (const { id } of testUsers) known.set(id, known.get(id) ?? `${birdName(id)} (test user)`);
  for (const id of authors()) known.set(id, known.get(id) ?? birdName(id));
  const choices = JSON.stringify([...known]);
  if (select.dataset.choices === choices) return;
  const chosen = select.value;
  const options = [...known].map(([value, text]) => element("option", { value }, text));
  select.replaceChildren(...options);
  select.dataset.choices = choices;
  if (chosen && known.has(chosen)) select.value = chosen;
}

/** Show the bird and the colour of the user. */
export function showSubject() {
  const id = subjectId();
  const bird = byId("subject-bird");
  bird.classList.toggle("red", isRed(id));
  if (!id) return;
  paint(bird, id);
  const text = `${birdName(id)} is ${isRed(id) ? "Chirpy Red" : "not red"}.`;
  if (byId("colour").textContent !== text) byId("colour").textContent = text;
}

/** Return an access token of the user. */
async function tokenOf(id) {
  if (currentUser()?.id === id) return currentUser().token;
  const user = testUsers.find((each) => each.id === id);
  if (!user) {
    throw new Failure({
      error: "Only this user can post their chirps",
      hint: "Pick a test user, or yourself after you have logged in.",
    });
  }
  const { json } = await call(withJson("POST", "/api/login", { email: user.email, password: PASSWORD }));
  return json.token;
}
