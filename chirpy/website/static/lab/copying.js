/** Copy a text for the terminal. */

import { element } from "../chirps/elements.js";

/** Return a button that copies `text`, or selects `node` where the browser forbids copying. */
export function copyButton(text, node) {
  const button = element("button", { className: "copy", type: "button" }, "Copy");
  const label = element("span", { role: "status" });
  button.replaceChildren("Copy", label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = ": done";
    } catch {
      getSelection().selectAllChildren(node);
      label.textContent = ": press Ctrl+C";
    }
  });
  return button;
}
