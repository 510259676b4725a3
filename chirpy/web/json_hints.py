"""Say what is wrong with JSON in the words of its author, not in those of a parser."""

import json
import re

QUOTES = "Write each name and each text in double quotes"
# The parser's message and the text where it stopped, and the hint. The first match counts.
HINTS = {
    r"Expecting [^|]*\|'": f"{QUOTES}, not in single quotes",
    r"Expecting [^|]*\|[“”‘’]": f"{QUOTES}, which must be straight",
    r"Expecting value[^|]*\|(True|False|None)\b": "Write true, false and null in lower case",
    r"Expecting value[^|]*\|\ufeff": "Save the JSON without a byte order mark",
    r"Expecting (property name|value)[^|]*\|\w": f"{QUOTES}; one has no quotes",
    r"Expecting property name": "The next name is missing, in double quotes",
    r"Expecting value": "A value is missing or is not JSON",
    r"Expecting ':'": "A colon is missing after a name",
    r"Expecting ','": "A comma is missing, or the backslash before a quote inside a text",
    r"Extra data": "Remove what follows the end of the JSON",
    r"Invalid control character": "A text has a line break or a tab: write backslash n or t",
    r"Invalid \\": "A backslash in a text must be doubled",
}
FORM = re.compile(r"--|[\w.%+-]+=")  # multipart, or name=value


def explain(text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong with `text`, and where."""
    return f"{describe(text, error)} (line {error.lineno}, column {error.colno})"


def describe(text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong with `text`."""
    before, rest = text[: error.pos].rstrip(), text[error.pos :]
    if FORM.match(text.lstrip()):
        return "This is form data; the request body must be JSON"
    if "," in (before[-1:], rest[:1]) and re.match(r",?\s*[}\]]", rest):
        return "Remove the comma before the closing bracket"
    if error.msg.startswith("Unterminated") or not rest.strip():
        return "The JSON ends too early: a closing quote or bracket is missing"
    found = f"{error.msg}|{rest[:10]}"
    return next((hint for start, hint in HINTS.items() if re.match(start, found)), error.msg)
