/** Show failures where they belong: at a field, or at the form or list that failed. */

import { Failure } from "./api.js";
import { byId, element, withCode } from "./elements.js";

/** Show a failure in an element with the role alert. Without a failure, empty it. */
export function showFailure(place, failure = null, onlyHint = false) {
  place.replaceChildren();
  if (!failure) return;
  if (!(failure instanceof Failure)) console.error(failure); // a bug of this page
  if (!onlyHint) place.append(element("p", {}, ...withCode(sentence(failure.message))));
  if (failure.hint) place.append(element("p", { className: "hint" }, ...withCode(sentence(failure.hint))));
}

/** Let a form call `act(values, button)`, and show a failure at the fields that it names. */
export function onSubmit(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return; // a second click on the button
    form.setAttribute("aria-busy", "true");
    showFormFailure(form);
    try {
      await act(Object.fromEntries(new FormData(form)), event.submitter?.value);
    } catch (failure) {
      showFormFailure(form, failure);
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
}

/** Show a failure in a form, or remove what was shown. */
export function showFormFailure(form, failure = null) {
  const inputs = [...form.elements].filter((input) => input.name);
  for (const input of inputs) {
    const problem = failure?.fields?.[input.name] ?? "";
    byId(`${input.id}-problem`).textContent = problem && `${labelOf(input)} ${problem}.`;
    input.setAttribute("aria-invalid", String(Boolean(problem)));
  }
  const invalid = inputs.find((input) => failure?.fields?.[input.name]);
  showFailure(form.querySelector("[role=alert]"), failure, Boolean(invalid));
  invalid?.focus();
}

function labelOf(input) {
  return input.name === "body" ? "The chirp" : input.labels[0].textContent;
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
