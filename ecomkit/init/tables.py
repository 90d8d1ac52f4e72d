"""What lies in a warehouse: schemas with Segment's tables of calls, and those of its ads sources."""

from ecomkit.errors import SourceError, quoted
from ecomkit.init.calls import calls_of, listen
from ecomkit.init.found import Found, FoundSource
from ecomkit.pipeline.tracking_plan import canonical_names
from ecomkit.settings import Source
from ecomkit.sources.warehouse import connect, schema_names, table_names

_CALLS = {"tracks", "pages", "screens", "identifies"}
# A table that only this platform's objects have.
_ADS = {"facebook": {"insights", "insight"}, "google": {"campaign_performance_reports", "ad_performance_reports"}}
_ORDERS = {slug for slug, name in canonical_names().items() if name == "Order Completed"}
_ROWS = 20_000


def look_at(url: str, written: str, found: Found) -> None:
    """Add the schemas of the database at `url` that hold calls or ads; shop.toml gives the url as `written`.

    Raises
    ------
    SourceError
        If the database cannot be reached, or no schema holds what the kit reads.
    """
    source = Source("segment_tables", None, "warehouse", {}, url)
    warehouse = connect(source)
    try:
        schemas = schema_names(warehouse)
        tables = {schema: set(map(str.lower, table_names(warehouse, schema))) for schema in schemas}
        calls = [schema for schema in schemas if tables[schema] & _CALLS]
        if calls:
            place = {"url": written, "schema": calls if len(calls) > 1 else calls[0]}
            what = f"Segment's tables in {len(calls)} schema{'s' if len(calls) > 1 else ''}"
            found.sources.append(FoundSource({"kind": "segment_tables"} | place, what))
        for schema in calls:
            for name in sorted(tables[schema] & {"pages", *_ORDERS}):
                _listen_to(warehouse.table(name, database=schema), name, schema, found)
        for schema in schemas:
            for platform, telling in _ADS.items():
                if tables[schema] & telling:
                    entries = {"kind": "ad_spend", "platform": platform, "url": written, "schema": schema}
                    found.sources.append(FoundSource(entries, f"ad spend of {platform}, in Segment's tables"))
        known = {entry for source in found.sources for entry in _schemas(source)}
        found.unused += [f"schema {schema}" for schema in schemas if schema not in known and tables[schema]]
        if not found.sources:
            named = "; ".join(f"'{name}' has {quoted(sorted(tables[name])[:8]) or 'no table'}" for name in schemas)
            raise SourceError(
                f"The database holds nothing that the kit can read: {named or 'it has no schema'}. It reads schemas "
                "of Segment sources (tracks, pages, identifies, a table per event) and of Segment's Facebook and "
                "Google Ads sources."
            )
    finally:
        warehouse.disconnect()


def _schemas(source: FoundSource) -> list[str]:
    schema = source.entries["schema"]
    return schema if isinstance(schema, list) else [schema]


def _listen_to(table, name: str, schema: str, found: Found) -> None:
    names = {
        "context_page_url": ("page", "url"),
        "context_timezone": ("timezone",),
        "context_library_name": ("library", "name"),
    }
    amounts = ("order_id", "currency", "revenue", "subtotal", "total", "shipping", "tax", "discount")
    table = table.rename(str.lower)
    wanted = [column for column in (*names, *amounts) if column in table.columns]
    if not wanted:
        return
    for row in table.select(*wanted).limit(_ROWS).to_pyarrow().to_pylist():
        context: dict = {}
        for column, path in names.items():
            inner = context
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner[path[-1]] = row.get(column)
        properties = {key: row.get(key) for key in amounts}
        call = {"type": "track" if name in _ORDERS else "page", "context": context, "properties": properties}
        event = name.replace("_", " ").title() if name in _ORDERS else None
        for heard in calls_of(call | {"event": event}):
            listen(found.told, heard, schema)
