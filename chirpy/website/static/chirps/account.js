/** Sign up, log in, log out. */

import { Failure } from "./api.js";
import { birdName, paint } from "./birds.js";
import { byId } from "./elements.js";
import { onSubmit, showFormFailure } from "./failures.js";
import { isRed, members } from "./members.js";
import { currentUser, logIn, logOut, session, signUp } from "./session.js";

const form = byId("account");
const me = byId("me");
const composer = byId("composer");

export function startAccount() {
  onSubmit(form, async (credentials, action) => {
    await (action === "sign up" ? signUp : logIn)(credentials);
    form.reset();
    composer.elements.body.focus();
  });
  byId("log-out").addEventListener("click", logOutHere);
  session.addEventListener("change", show);
  session.addEventListener("end", () => {
    showFormFailure(form, new Failure({ error: "Your session has ended", hint: "Log in again." }));
    form.elements.email.focus();
  });
  members.addEventListener("change", show);
  show();
}

async function logOutHere() {
  try {
    await logOut();
    form.elements.email.focus();
  } catch (failure) {
    showFormFailure(form, failure);
  }
}

function show() {
  const user = currentUser();
  form.hidden = Boolean(user);
  me.hidden = composer.hidden = !user;
  if (!user) return;
  byId("my-email").textContent = user.email;
  byId("my-name").textContent = `${birdName(user.id)}${isRed(user.id) ? ", Chirpy Red" : ""}`;
  const bird = me.querySelector(".bird");
  paint(bird, user.id);
  bird.classList.toggle("red", isRed(user.id));
}
