"""What a report was made from, as digests: two reports that differ in none of them tell the same numbers."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecomkit.fingerprint import MAKERS, code_of
from ecomkit.shop import Shop

# With the notebooks, all that decides what a number means, beside what builds the shop.
_DEFINING = (
    "metrics", "models", "filters.py", "frames.py", "headline_queries.py", "headline_values.py", "headlines.py",
    "narrowing.py", "periods.py", "settings.py", "shop.py", "source_settings.py",
)  # fmt: skip
# What holds money: a row of it that is restated in place changes no count.
_OF_MONEY = ("orders", "order_lines", "refunds", "refund_lines", "ad_spend")
_COUNTS = ("step", "rows_in", "rows_out", "rows_corrected", "rows_excluded", "duplicates", "rows_quarantined")
_LENGTH = 16


def made_from(shop: Shop, notebooks: Sequence[Path]) -> dict[str, Any]:
    """Return what a report of this shop stands on; the same input gives the same dict, wherever the shop lies.

    It holds no path, no address and nothing secret.

    Parameters
    ----------
    shop
        The opened shop.
    notebooks
        The notebooks of the report: their code belongs to the definition of what they hand over.

    Returns
    -------
    dict
        `known_until`, the arrival of the newest call as text, None where no call says when it arrived; `data`, a
        digest of the build's accounts and of all rows with money; `settings`, one of each section of shop.toml;
        `rates`, one of the file of rates, None without; `definition`, one of the code that makes numbers.
    """
    rates, newest = shop.settings.rates, shop.newest_arrival
    return {
        "known_until": newest.isoformat() if newest else None,
        "data": _data(shop),
        "settings": sections_of(_text(shop.settings.folder / "shop.toml")),
        "rates": digest(_text(rates)) if rates else None,
        "definition": definition(notebooks),
    }


def definition(notebooks: Sequence[Path]) -> str:
    """Return the digest of the kit's own code that makes numbers, and of the notebooks' code without their outputs."""
    code = [*code_of(MAKERS), *code_of(_DEFINING)]
    for notebook in notebooks:
        cells = json.loads(_text(notebook))["cells"]
        code += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return digest("\n".join(code))


def sections_of(settings: str) -> dict[str, str]:
    """Return the digest of what each section of a shop.toml says; its order, blanks and comments do not count."""
    content = tomllib.loads(settings)
    return {name: digest(json.dumps(content[name], sort_keys=True, default=str)) for name in sorted(content)}


def settings_digest(sections: Mapping[str, str]) -> str:
    """Return one digest for all sections of a shop.toml."""
    return digest(json.dumps(sections, sort_keys=True))


def changed_sections(older: Mapping[str, str], newer: Mapping[str, str]) -> list[str]:
    """Return the sections of shop.toml that came, went or changed."""
    return [name for name in sorted({*older, *newer}) if older.get(name) != newer.get(name)]


def digest(text: str) -> str:
    """Return what tells a text from another one, and does not tell the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _data(shop: Shop) -> str:
    # Not the shop's fingerprint, which holds paths and times of change: a copy of the shop has another one.
    con = shop.con
    accounts = con.table("build_log").select(*_COUNTS).order_by("step").to_pyarrow().to_pylist()
    # The sum over rows does not ask for their order.
    sums = [
        con.raw_sql(f"SELECT count(*), sum(hash(told)::HUGEINT) FROM {name} AS told").fetchone() for name in _OF_MONEY
    ]
    return digest(json.dumps([accounts, sums], default=str))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
