"""What a note is: nothing here needs the host."""

PREFIX = "note/"
SHOWN = 50
LONGEST = 280
_END_OF_TIME = 10**13  # milliseconds


def checked(text: object) -> str:
    """The text of a note. `ValueError`, in words for its writer, where it is none."""
    if not isinstance(text, str) or not 1 <= len(text.strip()) <= LONGEST:
        raise ValueError(f"'text' must have 1 to {LONGEST} characters.")
    return text.strip()


def newest_first(now_ms: int, random: int) -> str:
    """An id that falls as time goes on: storage lists by key in rising order, so the newest comes first."""
    return f"{_END_OF_TIME - now_ms:013d}-{random % 16**8:08x}"
