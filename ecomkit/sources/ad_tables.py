"""Ad spend as Segment's Facebook Ads and Google Ads sources keep it in a warehouse: a table per kind of object."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from ecomkit.errors import SourceError, quoted
from ecomkit.settings import Source
from ecomkit.sources.ad_facts import Tables, spend_rows
from ecomkit.sources.warehouse import schemas_of, table_names

# Collection -> the names that its table goes by: documentation and warehouses differ.
_FACEBOOK = {
    "insights": ("insights", "insight"),
    "ads": ("ads", "ad"),
    "campaigns": ("campaigns", "campaign"),
}
_GOOGLE = {
    "campaign_report": ("campaign_performance_reports", "campaign_performance_report"),
    "ad_report": ("ad_performance_reports", "ad_performance_report"),
    "campaigns": ("campaigns", "campaign"),
    "ad_groups": ("ad_groups", "ad_group"),
    "ads": ("ads", "ad"),
}
COLLECTIONS = {"facebook": _FACEBOOK, "google": _GOOGLE}

# The collections that hold spend, the better first, and the columns without which they tell nothing.
_SPEND = {
    "facebook": {"insights": ("ad_id", "date_start", "spend")},
    "google": {
        "campaign_report": ("campaign_id", "date_start", "cost"),
        "ad_report": ("ad_id", "date_start", "cost"),
    },
}


def platform_of(source: Source) -> str:
    """Return the platform of a source of ad spend, by which it is named where it says none."""
    return source.options.get("platform", source.name)


def spend_queries(con: ibis.BaseBackend, source: Source) -> list[ir.Table]:
    """Return a query of `ad_facts.COLUMNS` for each schema of a source: a row per version of each row of spend.

    Raises
    ------
    SourceError
        If the platform has no such tables, or a schema lacks the table or columns that hold spend; all at once.
    """
    platform = platform_of(source)
    if platform not in COLLECTIONS:
        raise SourceError(
            f"'{platform}' (source '{source.name}') is no platform whose tables the kit reads. "
            f"Set 'platform' in shop.toml to one of {quoted(COLLECTIONS)}, or give its spend as a file by 'path'."
        )
    queries, problems = [], []
    for schema in schemas_of(con, source):
        names = table_names(con, schema)
        tables = {
            collection: [con.table(name, database=schema) for name in tables_named(names, forms)]
            for collection, forms in COLLECTIONS[platform].items()
        }
        lacking = _lacking(tables, platform, schema, names)
        problems += lacking
        if not lacking:
            queries.append(spend_rows(tables, platform))
    if problems:
        raise SourceError(
            f"The tables of source '{source.name}' ({platform}) do not fit: {' '.join(problems)} "
            "Correct 'schema' or 'platform' of this source in shop.toml."
        )
    return queries


def tables_named(names: Sequence[str], forms: Sequence[str]) -> list[str]:
    """Return which of `names` hold a collection, under any of its `forms`.

    A view `x_view` holds the last 60 days of loads alone, so it counts only where no table does.
    """
    tables = [form for form in forms if form in names]
    return tables or [f"{form}_view" for form in forms if f"{form}_view" in names]


def _lacking(tables: Tables, platform: str, schema: str, names: Sequence[str]) -> list[str]:
    wanted = _SPEND[platform]
    held = [collection for collection in wanted if tables[collection]]
    if not held:
        forms = [form for collection in wanted for form in COLLECTIONS[platform][collection]]
        return [
            f"the schema '{schema}' has no table of spend, which is one of {quoted(forms)}; "
            f"it has {quoted(names) or 'no table'}."
        ]
    problems = []
    for table in tables[held[0]]:
        missing = [name for name in wanted[held[0]] if name not in table.columns]
        if missing:
            found = quoted(table.columns)
            problems.append(f"the table '{table.get_name()}' lacks {quoted(missing)}; it has {found}.")
    return problems
