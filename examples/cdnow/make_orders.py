"""Write orders.csv from the CDNOW log that the lifetimes package carries.

Run from the repository root: `python examples/cdnow/make_orders.py`.
"""

import csv
import sys
from importlib.util import find_spec
from pathlib import Path

HEADER = ("order_id", "customer_id", "ordered_at", "quantity", "amount")


def find_log() -> Path:
    """Return where the log lies, without importing lifetimes (its datasets module needs pkg_resources)."""
    return Path(find_spec("lifetimes").origin).parent / "datasets" / "CDNOW_sample.txt"


def write_orders(path: Path) -> int:
    """Write the log as CSV, one order a row, numbered from 1; return the number of orders."""
    rows = [line.split() for line in find_log().read_text(encoding="ascii").splitlines() if line.strip()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for number, (_master_id, customer_id, day, quantity, amount) in enumerate(rows, start=1):
            writer.writerow((number, customer_id, f"{day[:4]}-{day[4:6]}-{day[6:]}", quantity, amount))
    return len(rows)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("orders.csv")
    print(f"Wrote {write_orders(target):,} orders to {target}.")
