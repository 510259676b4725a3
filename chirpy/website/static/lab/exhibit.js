/** Show what was sent, every answer, and what it left in the database. */

import { byId, element, withCode } from "../chirps/elements.js";
import { copyButton } from "./copying.js";
import { curlLine } from "./curl.js";
import { kindOf } from "./sending.js";

/** Show what a step is about, without a result. */
export function showStep(step) {
  byId("exhibit-title").textContent = step.label;
  byId("start").hidden = true;
  byId("why").replaceChildren(...withCode(step.why));
  byId("tally").replaceChildren();
  byId("batches").replaceChildren();
}

/** Show the result of a step. `rows` is how many it added to the delivery log. */
export function showResult(batches, rows) {
  const answers = batches.flatMap((batch) => batch.answers);
  byId("tally").replaceChildren(...tally(answers, rows));
  byId("batches").replaceChildren(...batches.map(showBatch));
}

function tally(answers, rows) {
  const kinds = answers.map(kindOf);
  if (kinds.some((kind) => kind === "created" || kind === "replayed")) {
    const chirps = new Set(answers.map((answer) => JSON.parse(answer.text).id)).size;
    return [
      tallied(kinds, answers.length, "request", "requests"),
      tallied(Array(chirps).fill("row"), chirps, "chirp", "chirps"),
    ];
  }
  const effects = kinds.filter((kind) => kind === "applied").length;
  return [
    tallied(kinds, answers.length, "delivery", "deliveries"),
    tallied(Array(rows).fill("row"), rows, "row", "rows"),
    tallied(Array(effects).fill("applied"), effects, "effect", "effects"),
  ];
}

/** Return a number with its noun, above a mark for each of what it counts. */
function tallied(kinds, count, singular, plural) {
  const marks = kinds.map((kind) => element("i", { className: `mark ${kind}` }));
  return element("li", {},
    element("strong", {}, String(count)), ` ${count === 1 ? singular : plural}`,
    element("span", { className: "marks", "aria-hidden": "true" }, ...marks));
}

/** Return a request, and beside it the answers. */
function showBatch({ title, request, concurrent, answers }) {
  const total = answers.length;
  const times = total === 1 ? "once" : `${total} times${concurrent ? " concurrently" : ""}`;
  const line = curlLine(request, total, concurrent);
  const code = element("pre", {}, element("code", {}, line));
  return element("div", { className: "batch" },
    element("div", {},
      element("h4", {}, title || `The request, sent ${times}`),
      element("div", { className: "request" },
        element("header", {}, element("strong", {}, request.method), request.path, copyButton(line, code)), code)),
    element("div", {},
      element("h4", {}, total === 1 ? "The answer" : `The ${total} answers`),
      element("div", { className: "answers" },
        ...answers.map((answer, index) => showAnswer(answer, index, total)))));
}

function showAnswer(answer, index, total) {
  const kind = kindOf(answer);
  const status = `${answer.status} ${answer.reason}`;
  const head = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
  return element("details", { className: "answer", open: index === 0 },
    element("summary", {},
      ...(total > 1 ? [`${index + 1}: `] : []), element("strong", {}, status),
      element("span", { className: `stamp ${kind}` }, kind)),
    element("pre", {}, element("code", {}, [...head, "", readable(answer.text)].join("\n").trim())));
}

/** Return JSON with a line for each key, because scripts get it without spaces; another text as it is. */
function readable(text) {
  return text.startsWith("{") ? JSON.stringify(JSON.parse(text), null, 2) : text;
}
