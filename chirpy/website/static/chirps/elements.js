/** Make and fill elements. Text is always text, never HTML. */

export function byId(id) {
  return document.getElementById(id);
}

/** Return a new element. Properties in camel case are set; those with a dash are attributes. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

/** Return a text with its `code` in code elements. */
export function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}
