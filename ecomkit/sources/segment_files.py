"""Raw Segment calls: newline-delimited JSON, gzipped or not, one file or a folder.

Each line becomes one row of `calls`, flat and still text, with the file and line
it came from. Addresses are hashed and masked here, so that nothing after this
module sees one.
"""

import gzip
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ecomkit.errors import SourceError, quoted
from ecomkit.settings import Source
from ecomkit.sources.money_text import MONEY_MACROS

SUFFIXES = (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz", ".gz")

# Spellings of a property, the first found counts.
Spellings = dict[str, tuple[str, ...]]

# Column of `calls` -> JSON paths, the first found counts.
_PATHS: Spellings = {
    "call_type": ("$.type",),
    "event": ("$.event",),
    "message_id": ("$.messageId",),
    "anonymous_id": ("$.anonymousId",),
    "user_id": ("$.userId",),
    "sent_timestamp": ("$.timestamp",),
    "original_timestamp": ("$.originalTimestamp",),
    "sent_at": ("$.sentAt",),
    "received_at": ("$.receivedAt",),
    "library": ("$.context.library.name",),
    "page_url": ("$.context.page.url", "$.properties.url"),
    "page_path": ("$.context.page.path", "$.properties.path"),
    "page_search": ("$.context.page.search", "$.properties.search"),
    "referrer": ("$.context.page.referrer", "$.properties.referrer"),
    "utm_source": ("$.context.campaign.source",),
    "utm_medium": ("$.context.campaign.medium",),
    "utm_campaign": ("$.context.campaign.name", "$.context.campaign.campaign"),
    "utm_term": ("$.context.campaign.term",),
    "utm_content": ("$.context.campaign.content",),
    "campaign_id": ("$.context.campaign.id",),
    "user_agent": ("$.context.userAgent",),
    "device": ("$.context.device.type",),
    "email": ("$.traits.email", "$.context.traits.email", "$.properties.email"),
    "created_at": ("$.traits.createdAt", "$.traits.created_at"),
}

_ADDRESS = r"[A-Za-z0-9._%+''-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
# What senders put where they know no id: it would make one person of all of them.
_NO_ID = r"[0-]*|-1|null|none|nan|undefined|anonymous"
_PERSONAL_KEYS = r"first_?name|last_?name|name|phone|email|street|city|postal_?code|birthday|username|address|ip"
_MACROS = rf"""
CREATE OR REPLACE TEMP MACRO without_address(x) AS
    CASE WHEN contains(x, '@') OR contains(x, '%40') THEN regexp_replace(x, '{_ADDRESS}', '[address]', 'g') ELSE x END;
CREATE OR REPLACE TEMP MACRO hashed(x, salt) AS sha256(salt || lower(trim(x)));
CREATE OR REPLACE TEMP MACRO safe_id(x, salt) AS
    CASE WHEN contains(x, '@') THEN 'hashed-' || hashed(x, salt)
         WHEN regexp_full_match(lower(trim(x)), '{_NO_ID}') THEN NULL ELSE trim(x) END;
CREATE OR REPLACE TEMP MACRO masked(x) AS regexp_replace(regexp_replace(regexp_replace(
    without_address(left(x, 2000)),
    '("(?:{_PERSONAL_KEYS})"\s*:\s*")[^"]*', '\1***', 'gi'),
    '([?&][^=&"\s]+=)[^&"\s]*', '\1***', 'g'),
    '\+\d[\d ()/-]{{6,}}\d', '[phone]', 'g');
CREATE OR REPLACE TEMP MACRO utm(search, key) AS
    nullif(url_decode(replace(regexp_extract(search, '[?&]' || key || '=([^&#]*)', 1), '+', ' ')), '');
"""


def segment_file_paths(source: Source) -> list[Path]:
    """Return the files of a source, sorted; an archive's stray objects are passed over.

    Raises
    ------
    SourceError
        If the path does not exist, or holds no file of newline JSON.
    """
    if source.path.is_file():
        if source.path.stat().st_size == 0:
            raise SourceError(
                f"The file '{source.path}' (source '{source.name}') is empty. Export it again, or remove the source."
            )
        return [source.path]
    if not source.path.is_dir():
        raise SourceError(
            f"There is no file or folder '{source.path}' (source '{source.name}'). "
            "Correct 'path' in shop.toml: it counts from the folder of the shop.toml."
        )
    found = sorted(path for path in source.path.rglob("*") if path.is_file())
    files = [path for path in found if path.name.endswith(SUFFIXES)]
    if not files:
        raise SourceError(
            f"The folder '{source.path}' (source '{source.name}') holds no file of calls; it has "
            f"{quoted(path.name for path in found[:5]) or 'no file'}. Files of calls end in {quoted(SUFFIXES)}."
        )
    return files


def read_segment_files(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    *,
    salt: str,
    properties: Spellings,
    item_properties: Spellings,
    money: Sequence[str],
) -> None:
    """Create the temporary tables `lines`, `calls` and `call_items` from all `sources`.

    `lines` holds each line as sent, `calls` a flat row per line, `call_items` a row
    per item of a call's `products`; `row_id` joins them. `problem` in `calls` names
    why a line cannot be read.
    """
    con.execute(MONEY_MACROS + _MACROS)
    con.execute(
        """CREATE OR REPLACE TEMP TABLE lines
        (source VARCHAR, source_file VARCHAR, line_number BIGINT, row_id BIGINT, raw VARCHAR)"""
    )
    with tempfile.TemporaryDirectory() as repaired:
        for source in sources:
            for path in segment_file_paths(source):
                _read_lines(con, source, path, Path(repaired))
    con.execute(_calls_query(properties, money), {"salt": salt})
    con.execute(_items_query(item_properties))


def _read_lines(con: duckdb.DuckDBPyConnection, source: Source, path: Path, repaired: Path) -> None:
    # Unit separator and no quotes: a line is one value whatever it holds.
    query = """
        INSERT INTO lines
        SELECT $source, $label, line_number, $offset + line_number, line FROM (
            SELECT line, row_number() OVER () AS line_number
            FROM read_csv($path, columns = {'line': 'VARCHAR'}, delim = '\x1f', quote = '', escape = '', header = false,
                auto_detect = false, strict_mode = false, compression = $compression,
                max_line_size = 16777216, buffer_size = 33554432)
        ) WHERE NOT regexp_full_match(line, '\\s*')"""
    offset = con.execute("SELECT coalesce(max(row_id), 0) FROM lines").fetchone()[0]
    with path.open("rb") as opened:
        gzipped = opened.read(2) == b"\x1f\x8b"
    if gzipped:
        _check_whole(source, path)
    label = str(path.relative_to(source.path.parent))
    values = {"source": source.name, "label": label, "offset": offset}
    try:
        con.execute(query, values | {"path": str(path), "compression": "gzip" if gzipped else "none"})
    except duckdb.InvalidInputException:
        # Not UTF-8 somewhere: read again with the broken bytes replaced, so that only those lines suffer.
        copy = repaired / "repaired.ndjson"
        content = gzip.decompress(path.read_bytes()) if gzipped else path.read_bytes()
        copy.write_text(content.decode("utf-8", errors="replace"), encoding="utf-8")
        con.execute(query, values | {"path": str(copy), "compression": "none"})


def _check_whole(source: Source, path: Path) -> None:
    # DuckDB reads a file that was cut in half as far as it goes, and says nothing.
    try:
        with gzip.open(path) as opened:
            while opened.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"The file '{path}' (source '{source.name}') cannot be read to its end: {error}. Copy or export it again."
        ) from error


def _calls_query(properties: Spellings, money: Sequence[str]) -> str:
    wanted = _PATHS | {name: tuple(f"$.properties.{key}" for key in keys) for name, keys in properties.items()}
    paths = [path for candidates in wanted.values() for path in candidates]
    position = {path: number for number, path in enumerate(paths, start=1)}
    columns = {
        name: "coalesce(" + ", ".join(f"v[{position[path]}]" for path in candidates) + ")"
        for name, candidates in wanted.items()
    }
    money_paths = [f"$.properties.{name}" for name in money]
    columns["anonymous_id"] = f"safe_id({columns['anonymous_id']}, $salt)"
    columns["user_id"] = f"safe_id({columns['user_id']}, $salt)"
    columns["sent_message_id"] = f"nullif({columns['message_id']}, '')"
    columns["message_id"] = f"coalesce(nullif({columns['message_id']}, ''), 'line-' || md5(raw))"
    for name in ("page_path", "query"):
        columns[name] = f"without_address({columns[name]})"
    sent_url = columns["page_url"]
    for name in ("page_url", "referrer"):
        columns[name] = f"without_address(regexp_replace({columns[name]}, '[?#].*$', ''))"
    # Some senders put the whole address into `url` and nothing into `search`.
    search = f"coalesce(nullif({columns.pop('page_search')}, ''), regexp_extract({sent_url}, '[?][^#]*'))"
    for key in ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "campaign_id"):
        sent_as = "utm_id" if key == "campaign_id" else key
        columns[key] = f"without_address(coalesce(nullif({columns[key]}, ''), utm({search}, '{sent_as}')))"
    email = f"nullif(trim({columns.pop('email')}), '')"
    unreadable = " OR ".join(f"({columns[name]} IS NOT NULL AND as_money({columns[name]}) IS NULL)" for name in money)
    columns |= {name: f"as_money({columns[name]})" for name in money}
    selected = ",\n            ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return f"""
        CREATE OR REPLACE TEMP TABLE calls AS
        WITH judged AS (
            SELECT *, CASE WHEN NOT json_valid(raw) THEN 'not JSON'
                           WHEN json_type(raw) <> 'OBJECT' THEN 'not a JSON object' END AS problem
            FROM lines
        ), extracted AS (
            SELECT source, source_file, line_number, row_id, raw, problem,
                CASE WHEN problem IS NULL THEN json_extract_string(raw, {paths!r}) END AS v,
                CASE WHEN problem IS NULL THEN json_type(raw, {money_paths!r}) END AS money_types
            FROM judged
        )
        SELECT source, source_file, line_number, row_id, problem,
            {selected},
            hashed({email}, $salt) AS email_hash,
            lower({email}) AS email,
            regexp_extract({search}, '[?&](gclid|wbraid|gbraid|msclkid|fbclid|ttclid)=[^&#]', 1) AS click_kind,
            regexp_extract({search}, '[?&](?:gclid|wbraid|gbraid|msclkid|fbclid|ttclid)=([^&#]*)', 1) AS click_value,
            list_contains(money_types, 'VARCHAR') AS money_as_text,
            {unreadable} AS money_unreadable
        FROM extracted"""


def _items_query(item_properties: Spellings) -> str:
    columns = ",\n            ".join(
        ("as_money(" if name == "price" else "(")
        + "coalesce("
        + ", ".join(f"item->>'$.{key}'" for key in keys)
        + f")) AS {name}"
        for name, keys in item_properties.items()
    )
    return f"""
        CREATE OR REPLACE TEMP TABLE call_items AS
        WITH lists AS (
            SELECT row_id, raw->'$.properties.products' AS sent FROM lines
            WHERE row_id IN (SELECT row_id FROM calls WHERE problem IS NULL) AND contains(raw, '"products"')
        ), parsed AS (
            -- Some senders put the list into a string.
            SELECT row_id,
                CASE WHEN json_type(sent) = 'VARCHAR' THEN try_cast(sent->>'$' AS JSON) ELSE sent END AS products
            FROM lists
        ), items AS (
            SELECT row_id, unnest(from_json(products, '["JSON"]')) AS item,
                generate_subscripts(from_json(products, '["JSON"]'), 1) AS line_number
            FROM parsed WHERE json_type(products) = 'ARRAY'
        )
        SELECT row_id, line_number,
            {columns}
        FROM items WHERE json_type(item) = 'OBJECT'"""
