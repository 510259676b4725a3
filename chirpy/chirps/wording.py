"""What may be said, and how it is cleaned."""

from chirpy.errors import Refused

LONGEST_CHIRP = 140  # code points, counted before cleaning, which only makes it shorter
PROFANE = {"kerfuffle", "sharbert", "fornax"}
COVERED = "****"


def clean(body: str) -> str:
    """`body` with its profane words covered: whole words between single blanks, in any case.

    Raises Refused, 400, when it is too long.
    """
    if len(body) > LONGEST_CHIRP:
        raise too_long(len(body))
    return " ".join(COVERED if word.lower() in PROFANE else word for word in body.split(" "))


def too_long(length: int) -> Refused:
    """400 in the course's words."""
    problem = f"has {length} characters; {LONGEST_CHIRP} are allowed"
    return Refused(400, "Chirp is too long", hint="Say it shorter", fields={"body": problem})
