"""The rules for the text of a chirp."""

from chirpy.chirps.errors import ChirpTooLong

MAX_CHIRP_LENGTH = 140  # code points, counted before profane words are replaced
PROFANE_WORDS = {"kerfuffle", "sharbert", "fornax"}
REPLACEMENT = "****"


def clean(body: str) -> str:
    """Return `body` with its profane words replaced. Raise ChirpTooLong (400).

    Words are separated by single spaces; upper and lower case are the same.
    """
    if len(body) > MAX_CHIRP_LENGTH:
        raise ChirpTooLong(len(body), MAX_CHIRP_LENGTH)
    words = body.split(" ")
    return " ".join(REPLACEMENT if word.lower() in PROFANE_WORDS else word for word in words)
