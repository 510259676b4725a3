/** Who is logged in. Each tab has its own session, so that two tabs can be two users. */

import { Failure, call, withJson } from "./api.js";

const KEY = "chirpy.session";

/** Dispatches "change" when a user logs in or out, and "end" when the server ends the session. */
export const session = new EventTarget();

let login = JSON.parse(sessionStorage.getItem(KEY));

/** Return the user as `POST /api/login` did, or null. */
export function currentUser() {
  return login;
}

export async function signUp(credentials) {
  await call(withJson("POST", "/api/users", credentials));
  await logIn(credentials);
}

export async function logIn(credentials) {
  keep((await call(withJson("POST", "/api/login", credentials))).json);
}

export async function logOut() {
  const headers = { Authorization: `Bearer ${login.refresh_token}` };
  keep(null);
  await call({ method: "POST", path: "/api/revoke", headers });
}

/** Send a request as the current user. An access token that has expired is replaced once. */
export async function callAsUser(request) {
  if (!login) throw new Failure({ error: "Nobody is logged in", hint: "Log in first." });
  try {
    return await call(authorized(request, login.token));
  } catch (failure) {
    if (failure.status !== 401) throw failure;
    return call(authorized(request, await newToken()));
  }
}

async function newToken() {
  try {
    const { json } = await call(authorized({ method: "POST", path: "/api/refresh" }, login.refresh_token));
    keep({ ...login, token: json.token });
    return json.token;
  } catch (failure) {
    if (failure.status === 401) {
      keep(null);
      session.dispatchEvent(new Event("end"));
    }
    throw failure;
  }
}

function authorized(request, token) {
  return { ...request, headers: { ...request.headers, Authorization: `Bearer ${token}` } };
}

function keep(value) {
  login = value;
  if (value) sessionStorage.setItem(KEY, JSON.stringify(value));
  else sessionStorage.removeItem(KEY);
  session.dispatchEvent(new Event("change"));
}
