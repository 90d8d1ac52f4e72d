"""Shopify's orders export in few words, for tests that type it by hand; the header is a real one."""

import csv
import io

HEADER = (  # noqa: SIM905 - as the file has it
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,"
    "Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
    "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,"
    "Payment Terms Name,Next Payment Due At,Payment References"
).split(",")

_ORDER = {
    "Email": "ada@example.com", "Financial Status": "paid", "Paid at": "2026-03-02 10:00:06 -0500",
    "Fulfillment Status": "fulfilled", "Accepts Marketing": "no", "Currency": "EUR", "Shipping": "0.00",
    "Taxes": "0.00", "Discount Amount": "0.00", "Created at": "2026-03-02 10:00:05 -0500",
    "Billing Name": "Ada Lovelace", "Billing Street": "12 Analytical Lane", "Billing City": "Ockham",
    "Billing Zip": "'1815", "Billing Country": "GB", "Billing Phone": "020 7946 0018", "Shipping Name": "Ada Lovelace",
    "Shipping Country": "IE", "Payment Method": "Shopify Payments", "Refunded Amount": "0.00",
    "Outstanding Balance": "0.00", "Risk Level": "Low", "Source": "web", "Phone": "020 7946 0018",
}  # fmt: skip


def order(name, *items, **values):
    """Return the rows of one order; an item is (sku, quantity, price).

    `values` are columns of the order, `_` standing for a space.
    """
    numbers = [item for item in items if not any(isinstance(value, str) for value in item[1:])]
    subtotal = sum(quantity * price for _sku, quantity, price in numbers)
    said = _ORDER | {"Subtotal": f"{subtotal:.2f}", "Total": f"{subtotal:.2f}", "Id": f"68661493{name.strip('#')}"}
    said |= {column.replace("_", " "): value for column, value in values.items()}
    rows = []
    for place, (sku, quantity, price) in enumerate(items):
        line = {
            "Name": name, "Lineitem quantity": quantity, "Lineitem name": f"Thing {sku}",
            "Lineitem price": f"{price:.2f}" if isinstance(price, float) else price, "Lineitem sku": sku,
            "Vendor": "Leaf", "Lineitem discount": "0.00", "Lineitem taxable": "true",
        }  # fmt: skip
        rows.append(line if place else said | line)
    return rows


def export(*orders):
    """Return the text of an export of orders."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    for rows in orders:
        writer.writerows(rows)
    return text.getvalue()
