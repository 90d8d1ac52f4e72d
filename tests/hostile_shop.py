"""A made-up shop whose products, categories and campaigns have the names that an attacker would give them."""

import gzip
import json
from itertools import cycle
from pathlib import Path
from urllib.parse import quote_plus

from ecomkit.simulate import simulate

SCRIPT = "<script>alert('product')</script>"
NAMES = (
    SCRIPT,
    '"><img src=x onerror="alert(1)">',
    "\u202egnp.exe\u202c right to left",
    "A" * 10_000,
    "=cmd|' /C calc'!A0",
    "**bold** [here](javascript:alert(2)) $x$",
    "'; DROP TABLE orders; --",
)


def hostile_shop(folder: Path, *, customers: int = 250, months: int = 15) -> Path:
    """Write the shop and return its folder."""
    simulate(folder, seed=5, customers=customers, months=months)
    names: dict[str, str] = {}
    fresh = cycle(NAMES)

    def spoilt(name: str) -> str:
        return names.setdefault(name, next(fresh))

    for path in sorted((folder / "segment").rglob("*.gz")):
        lines = gzip.decompress(path.read_bytes()).decode(errors="replace").splitlines()
        text = "\n".join(_spoilt_call(line, spoilt) for line in lines)
        path.write_bytes(gzip.compress(text.encode(errors="replace")))
    for path in (folder / "ads").glob("*.csv"):
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([head, *(_spoilt_row(row) for row in rows)]) + "\n", encoding="utf-8")
    return folder


def _spoilt_call(line: str, spoilt) -> str:
    try:
        call = json.loads(line)
    except ValueError:
        return line
    if not isinstance(call, dict):
        return line
    properties = call.get("properties")
    items = [properties] if isinstance(properties, dict) else []
    for item in items:
        products = item.get("products")
        items += [product for product in products if isinstance(product, dict)] if isinstance(products, list) else []
        for key in ("category", "brand"):
            if isinstance(item.get(key), str):
                item[key] = spoilt(item[key])
        if "product_id" in item and isinstance(item.get("name"), str):
            item["name"] = spoilt(item["name"])
    text = json.dumps(call)
    return text.replace("utm_campaign=", f"utm_campaign={quote_plus(SCRIPT)}")


def _spoilt_row(row: str) -> str:
    told, *numbers = row.rsplit(",", 5)
    return ",".join([*told.split(",", 3)[:3], f'"{SCRIPT}"', *numbers])
