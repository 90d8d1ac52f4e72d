"""What can go wrong, in words a reader can act on.

Every message says what is wrong, what was found and what to do, and names
all offenders at once.
"""

import difflib
from collections.abc import Iterable


class EcomkitError(Exception):
    """Something the person at the keyboard can mend; shown without a traceback."""


class UsageError(EcomkitError):
    """A wrong argument, week, shop name or parameter (exit status 2)."""


class SettingsError(UsageError):
    """A shop.toml that cannot be used."""


class SourceError(EcomkitError):
    """A file that is missing, empty or of another form than the settings say."""


class TableError(EcomkitError):
    """A table without the columns that a function needs."""


class NotEnoughDataError(EcomkitError):
    """Too few customers to fit a model on."""


def quoted(names: Iterable[str]) -> str:
    """Names in quotes, separated by commas, in the order given."""
    return ", ".join(f"'{name}'" for name in names)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for a near miss, else an empty text."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""
