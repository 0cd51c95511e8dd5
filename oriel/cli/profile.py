"""Which platform the command line speaks to, remembered between commands: one small file, written by `oriel login`."""

import json
import os
from pathlib import Path

from msgspec import Struct

from oriel.errors import OrielError
from oriel.values import to_plain

FILE_MODE = 0o600


class Profile(Struct, frozen=True):
    """A platform's addresses, and who issues the tokens that it believes."""

    url: str
    ui_origin: str = ""
    issuer: str = ""
    audience: str = ""
    stack: str = ""


def profile_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(base, "oriel", "platform.json")


def load_profile() -> Profile | None:
    """The remembered platform; None where there is none.

    Raises:
        OrielError: `invalid_input`, where the file is of another form.
    """
    path = profile_path()
    try:
        return Profile(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise OrielError("invalid_input", f"{path} cannot be read.", hint="Run 'oriel login' again.") from None


def save_profile(profile: Profile) -> None:
    path = profile_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.touch(mode=FILE_MODE)
    temporary.write_text(json.dumps(to_plain(profile), indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def forget_profile() -> bool:
    """Whether there was one."""
    existed = profile_path().exists()
    profile_path().unlink(missing_ok=True)
    return existed
