r"""Show text from clients on a terminal: characters that could control it appear as `\u001b`."""

import re

# The C0 and C1 controls, line separators, and those that change the direction of text.
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escape(text: str, keep: str = "") -> str:
    """Return the text with its control characters written as JSON does, but those in `keep`.

    JSON keeps its meaning: a JSON string can have each of its characters in this form.
    """
    return CONTROL.sub(
        lambda found: found[0] if found[0] in keep else f"\\u{ord(found[0]):04x}", text
    )
