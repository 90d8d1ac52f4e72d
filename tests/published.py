"""Reports of a week as far as a comparison reads them, without running a notebook."""

import json
from pathlib import Path

from ecomkit.headline_values import headline_values
from ecomkit.report.made_from import made_from
from ecomkit.shop import open_shop

MONEY = ("net_revenue", "revenue", "aov", "clv_per_customer", "cac_blended")
UNITS = dict.fromkeys(MONEY, "money") | dict.fromkeys(("orders", "units", "new_customers"), "count")


def publish(shop_folder: Path, folder: Path, week: str, *, parameters: dict | None = None, **restated) -> Path:
    """Write the report.json of a shop's week into `folder`; `restated` takes the place of what it would tell."""
    shop, parameters = open_shop(shop_folder), parameters or {}
    told = {name: value for given in parameters.values() for name, value in given.items()}
    values = headline_values(shop, shop.week(week), told)
    report = {
        "shop": shop.settings.name,
        "place": shop.name,
        "week": week,
        "time_zone": shop.zone,
        "currency": shop.currency,
        "headlines": [headline(name, value) for name, value in values.items()],
        "parameters": parameters,
        "made_from": made_from(shop, []),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report | restated), encoding="utf-8")
    return folder


def headline(name: str, value: float | None) -> dict:
    """Return a headline as report.json has it, as far as a comparison reads it."""
    label = name.replace("_", " ").capitalize()
    return {"name": name, "label": label, "unit": UNITS.get(name, "rate"), "value": value}
