/** Write a request as a line for curl, which sends the same bytes. */

/** Return the command that sends a request `times` times, one after the other or concurrently. */
export function curlLine({ method, path, headers, body }, times = 1, concurrent = false) {
  const options = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const given = body === undefined ? `-X ${method}` : `-d ${quoted(body)}`;
  const command = [`curl -i ${location.origin}${path}`, ...options, given].join(" \\\n  ");
  if (times === 1) return command;
  const numbers = Array.from({ length: times }, (_, index) => index + 1).join(" ");
  return `for n in ${numbers}; do\n${command}${concurrent ? " &" : ""}\ndone${concurrent ? "; wait" : ""}`;
}

/** Return a text as one word of a shell. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
