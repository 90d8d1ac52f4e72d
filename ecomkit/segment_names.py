"""How Segment names tables and columns in a warehouse."""

import re

# Columns that every table of calls has of its own: a property of such a name is not loaded.
RESERVED_COLUMNS = (
    "id", "anonymous_id", "user_id", "event", "event_text", "timestamp", "original_timestamp", "sent_at", "received_at",
    "uuid", "uuid_ts", "loaded_at",
)  # fmt: skip

# Table -> the type of the calls it holds; every event has a table of its own beside these.
CALL_TABLES = {"pages": "page", "screens": "screen", "identifies": "identify", "aliases": "alias", "groups": "group"}

# Instants that the loader writes into rows of tables, the most telling first.
ARRIVALS = ("loaded_at", "received_at", "uuid_ts")

# A word of a name, to Segment's loader.
WORD = "[A-Z0-9]+[a-z0-9]*|[a-z0-9]+"


def snake_case(name: str) -> str:
    """Return the name that an event's table or a property's column has: `orderId` is `order_id`.

    A run of capitals and digits with what follows in lower case is one word; all
    that is no ASCII letter or digit separates. `pipeline.events` does the same on the engine.
    """
    return "_".join(re.findall(WORD, name)).lower()
