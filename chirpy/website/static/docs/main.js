/**
 * Swagger UI with the tokens of this tab: those of the page at /app/, or of a login that was tried
 * here. In development it also has Polka's key.
 */

const reference = document.getElementById("reference");
const NAMELESS = ":is(select, textarea, [data-param-name] input, .close-modal):not([aria-label])";
const dark = matchMedia("(prefers-color-scheme: dark)");
const showScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", showScheme);
showScheme();

// What Swagger UI leaves out: names that a screen reader can say, and scrolling without a mouse.
new MutationObserver(() => {
  for (const field of reference.querySelectorAll(NAMELESS)) field.ariaLabel = nameOf(field);
  for (const text of reference.querySelectorAll("pre")) text.tabIndex = 0;
}).observe(reference, { childList: true, subtree: true });

const ui = SwaggerUIBundle({
  domNode: reference,
  url: "/openapi.json",
  validatorUrl: "none", // asks no other host
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  plugins: [listsOfIds],
  onComplete: authorize,
  responseInterceptor: keepTokens,
});

/** Return a plugin with the field for a UUID in a list, which Swagger UI 5.34 lacks. */
function listsOfIds({ React, getComponent }) {
  const field = (properties) => React.createElement(getComponent("JsonSchema_string"), properties);
  return { components: { JsonSchema_string_uuid: field } };
}

function nameOf(field) {
  const parameter = field.closest("[data-param-name]");
  if (parameter) return parameter.dataset.paramName;
  if (field.matches("button")) return "Close";
  if (field.matches("textarea")) return "Request body";
  return field.closest(".examples-select, .response-control-media-type--examples") ? "Example" : "Media type";
}

async function authorize() {
  signIn(JSON.parse(sessionStorage.getItem("chirpy.session") ?? "{}"));
  if (!("lab" in document.body.dataset)) return;
  const delivery = JSON.stringify({ id: "evt_docs", body: "{}" });
  const answer = await fetch("/admin/webhooks/credentials", { method: "POST", body: delivery });
  const { Authorization } = await answer.json();
  if (Authorization) ui.preauthorizeApiKey("polkaKey", Authorization);
}

function keepTokens(response) {
  if (response.ok && /\/api\/(login|refresh)$/.test(response.url)) signIn(response.body);
  return response;
}

function signIn({ email, token, refresh_token }) {
  if (token) ui.preauthorizeApiKey("accessToken", token);
  if (refresh_token) ui.preauthorizeApiKey("refreshToken", refresh_token);
  if (email) document.getElementById("session").textContent = `Requests are sent as ${email}.`;
}
