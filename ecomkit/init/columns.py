"""Columns of anyone's naming, recognised by their likeness to the kit's own names."""

import difflib
import re
from collections.abc import Mapping, Sequence

Names = Mapping[str, tuple[str, ...]]

# The kit's name -> other names for it, without spaces and signs, the likeliest first.
ORDER_NAMES: Names = {
    "order_id": (
        "orderid", "order", "ordernumber", "orderno", "ordername", "invoice", "invoiceno", "invoiceid", "invoicenumber",
        "transactionid", "bestellnummer",
    ),
    "ordered_at": (
        "orderedat", "orderdate", "ordertime", "invoicedate", "purchasedate", "purchasedat", "createdat", "created",
        "datetime", "timestamp", "date", "time", "bestelldatum",
    ),
    "customer_id": (
        "customerid", "customer", "customernumber", "customerno", "userid", "user", "clientid", "buyerid", "buyer",
        "accountid", "kundennummer", "customeremail", "email",
    ),
    "product_id": ("productid", "stockcode", "itemid", "itemcode", "productcode", "variantid", "code", "item"),
    "sku": ("sku", "productsku", "itemsku"),
    "name": ("name", "productname", "itemname", "description", "producttitle", "title", "product"),
    "category": ("category", "productcategory", "department"),
    "brand": ("brand", "vendor", "manufacturer"),
    "variant": ("variant", "variantname", "size"),
    "unit_price": ("unitprice", "price", "itemprice", "priceperunit", "productprice"),
    "quantity": ("quantity", "qty", "units", "pieces", "menge"),
    "line_total": ("linetotal", "lineamount", "itemtotal", "amount", "lineprice", "revenue", "sales", "total"),
    "discount": ("discount", "discountamount", "linediscount"),
    "shipping": ("shipping", "shippingcost", "shippingamount", "freight", "delivery"),
    "tax": ("tax", "taxes", "vat", "taxamount"),
    "currency": ("currency", "currencycode"),
    "coupon": ("coupon", "couponcode", "discountcode", "voucher", "promocode"),
    "country": ("country", "shippingcountry", "countrycode", "billingcountry"),
}  # fmt: skip

SPEND_NAMES: Names = {
    "date": ("date", "day", "datestart", "reportingstarts", "reportdate", "datum"),
    "account_id": ("accountid", "account", "adaccountid"),
    "campaign_id": ("campaignid",),
    "campaign_name": ("campaignname", "campaign"),
    "spend": ("spend", "cost", "amountspent", "adspend", "spent", "costs"),
    "currency": ("currency", "currencycode", "accountcurrency"),
    "impressions": ("impressions", "impr"),
    "clicks": ("clicks", "linkclicks", "clicksall"),
    "conversions": ("conversions", "results", "purchases", "platformconversions"),
}

PLATFORMS = {
    "facebook": ("facebook", "meta", "instagram"),
    "google": ("google", "adwords"),
    "bing": ("bing", "microsoft"),
    "tiktok": ("tiktok",),
}
# Names of accounts that hold what is no product, as shops write them into order lines.
SHIPPING_CODES = ("POST", "POSTAGE", "SHIPPING", "DELIVERY", "FREIGHT", "CARRIAGE", "VERSAND")


def plain(name: str) -> str:
    """Return a column's name in lower case, without signs and what stands in brackets: `Amount spent (EUR)`."""
    return re.sub("[^a-z0-9]", "", re.sub(r"\(.*?\)", "", name.lower()))


def likely_columns(columns: Sequence[str], names: Names) -> dict[str, str]:
    """Return the column that each of the kit's names is most like; a column serves one name alone."""
    free = {plain(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for name, others in names.items():
        likely = next((other for other in (plain(name), *others) if other in free), None)
        if likely is not None:
            found[name] = free.pop(likely)
    for name in names:
        near = difflib.get_close_matches(plain(name), list(free), n=1, cutoff=0.85) if name not in found else []
        if near:
            found[name] = free.pop(near[0])
    return {name: found[name] for name in names if name in found}


def is_orders(found: Mapping[str, str]) -> bool:
    """Say whether columns are those of order lines: an id, a time, and money."""
    return {"order_id", "ordered_at"} <= found.keys() and bool({"unit_price", "line_total"} & found.keys())


def is_spend(found: Mapping[str, str]) -> bool:
    """Say whether columns are those of ad spend: a day, spend, and what was advertised or seen."""
    seen = {"campaign_id", "campaign_name", "impressions", "clicks", "account_id"}
    return {"date", "spend"} <= found.keys() and bool(seen & found.keys())


def platform_of(path: str) -> str | None:
    """Return the advertising platform that a file is named for."""
    words = re.findall("[a-z]+", path.lower())
    return next((name for name, known in PLATFORMS.items() if set(words) & {*known, known[0]}), None)


def spend_currency(column: str) -> str | None:
    """Return the currency in the brackets of a column such as `Amount spent (EUR)`."""
    found = re.search(r"\(([A-Z]{3})\)", column)
    return found[1] if found else None
