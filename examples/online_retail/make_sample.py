"""Write a made-up file of the shape of the real one: 2,000 invoice lines, the same columns, the same troubles.

Run from the repository root: `python examples/online_retail/make_sample.py FILE.parquet`.
"""

import random
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 2_000
SCHEMA = pa.schema(
    {
        "InvoiceNo": pa.string(),
        "StockCode": pa.string(),
        "Description": pa.string(),
        "Quantity": pa.int32(),
        "InvoiceDate": pa.timestamp("us"),
        "UnitPrice": pa.decimal128(12, 3),
        "CustomerID": pa.string(),
        "Country": pa.string(),
    }
)
FIRST_DAY = datetime(2010, 12, 1)
DAYS = 365
CUSTOMERS = 120
SHADES = ("RED", "WHITE", "GREEN", "PINK", "BLUE")
THINGS = ("LANTERN", "MUG", "CAKE STAND", "BUNTING", "NIGHT LIGHT", "TEA TOWEL", "JAM JAR", "DOORMAT")
# Code, description, quantity, lowest and highest price, in pounds: what is no product.
CODES = (
    ("POST", "POSTAGE", 1, 5, 40),
    ("DOT", "DOTCOM POSTAGE", 1, 50, 900),
    ("C2", "CARRIAGE", 1, 50, 50),
    ("M", "Manual", 1, 1, 200),
    ("BANK CHARGES", "Bank Charges", 1, 15, 15),
)
TAKEN_BACK = (
    ("D", "Discount", -1, 5, 90),
    ("AMAZONFEE", "AMAZON FEE", -1, 3000, 9000),
    ("M", "Manual", -1, 1, 200),
    ("POST", "POSTAGE", -1, 5, 40),
)


def sample_rows() -> list[dict]:
    """Return the lines in the order of their invoices."""
    chance = random.Random(20101201)
    products = [
        (f"{20_000 + 7 * number}{chance.choice(['', '', 'A', 'B'])}", f"{shade} {thing}", _price(chance, 0.4, 18))
        for number, (shade, thing) in enumerate((shade, thing) for thing in THINGS for shade in SHADES)
    ]
    rows: list[dict] = []
    bought: list[dict] = []
    number = 536_365
    while len(rows) < ROWS:
        # Trade hours, by the minute: invoices come in order, some on the same day.
        day = FIRST_DAY + timedelta(days=len(rows) * DAYS // ROWS)
        at = day + timedelta(minutes=chance.randrange(8 * 60, 20 * 60))
        number += 1
        kind = chance.random()
        if kind < 0.12 and bought:
            lines = [_refund(chance, number, at, bought)]
        elif kind < 0.15:
            lines = [_line(f"C{number}", chance.choice(TAKEN_BACK), at, _customer(chance), chance)]
        elif kind < 0.19:
            # Stock thrown away: no customer, no price.
            code, *_ = chance.choice(products)
            lines = [_row(str(number), code, chance.choice(["damages", "check", None]), -9, at, Decimal("0"), None)]
        else:
            lines = _order(chance, str(number), at, products)
            bought += [line for line in lines if line["CustomerID"] and line["UnitPrice"] > 0]
        rows += lines
    return rows[:ROWS]


def _order(chance: random.Random, invoice: str, at: datetime, products: list[tuple]) -> list[dict]:
    customer = _customer(chance) if chance.random() < 0.75 else None
    lines = [
        _row(invoice, code, name, chance.choice([1, 1, 2, 6, 12, 24]), at, price, customer)
        for code, name, price in chance.sample(products, chance.randint(1, 9))
    ]
    if chance.random() < 0.08:
        lines[0]["UnitPrice"] = Decimal("0.000")
    if chance.random() < 0.12:
        lines.append(_line(invoice, chance.choice(CODES), at, customer, chance))
    if chance.random() < 0.05:
        lines.append(dict(lines[0]))  # the same line twice is two lines
    return lines


def _refund(chance: random.Random, number: int, at: datetime, bought: list[dict]) -> dict:
    """Take back what somebody bought, or, one time in four, what nobody on record did."""
    line = chance.choice(bought)
    quantity = -chance.randint(1, line["Quantity"])
    customer = chance.choice([line["CustomerID"]] * 3 + [None])
    return _row(f"C{number}", line["StockCode"], line["Description"], quantity, at, line["UnitPrice"], customer)


def _line(invoice: str, code: tuple, at: datetime, customer: str | None, chance: random.Random) -> dict:
    stock_code, name, quantity, low, high = code
    return _row(invoice, stock_code, name, quantity, at, _price(chance, low, high), customer)


def _row(invoice, code, name, quantity, at, price, customer) -> dict:
    country = "France" if customer and int(float(customer)) % 10 == 0 else "United Kingdom"
    return dict(zip(SCHEMA.names, (invoice, code, name, quantity, at, price, customer, country), strict=True))


def _customer(chance: random.Random) -> str:
    # Few order often, many order once.
    return f"{12_346 + int(CUSTOMERS * chance.random() ** 2)}.0"


def _price(chance: random.Random, low: float, high: float) -> Decimal:
    return Decimal(round(chance.uniform(low, high) * 100)) / 100


def write_sample(path: Path) -> int:
    """Write the sample as Parquet; return the number of lines."""
    rows = sample_rows()
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path)
    return len(rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to write it: python examples/online_retail/make_sample.py FILE.parquet")
    print(f"Wrote {write_sample(Path(sys.argv[1])):,} lines to {sys.argv[1]}.")
