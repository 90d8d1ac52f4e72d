"""Money into the shop's currency, at the rate of its day."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.column_types import MONEY
from ecomkit.errors import SourceError, quoted

CENT = Decimal("0.01")
_FACTOR = "decimal(18, 8)"
_WIDE = "decimal(19, 8)"
# Signs that mean one currency. A dollar sign means the shop's own dollar, if it counts in one.
_SIGNS = {"€": "EUR", "£": "GBP"}
_DOLLARS = ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD")


def currency_code(text: ir.StringValue, shop: str) -> ir.StringValue:
    """Return a currency as a code in capitals; what names none is in the `shop`'s currency."""
    code = text.strip().upper()
    signs = _SIGNS | ({"$": shop} if shop in _DOLLARS else {})
    return ibis.coalesce(code.cases(*signs.items(), else_=code).nullif(""), shop)


def converted(table: ir.Table, rates: ir.Table, *, day: ir.DateValue, currency: str) -> ir.Table:
    """Give rows the `rate` from their currency to the shop's on a `day`; no currency means the shop's."""
    dated = table.mutate(rate_date=day, rate_currency=currency_code(table.currency, currency))
    known = rates.select(rate_date=_.date, rate_currency=_.currency.strip().upper(), stored=_.rate)
    joined = dated.left_join(known, ["rate_date", "rate_currency"])
    rate = ibis.ifelse(joined.rate_currency == currency, Decimal(1), joined.stored)
    return joined.mutate(rate=rate.cast(_FACTOR)).drop("stored", "rate_date_right", "rate_currency_right")


def in_shop_currency(amount: ir.DecimalValue, rate: ir.DecimalValue, *, digits: int = 2) -> ir.DecimalValue:
    """Return money times its rate, to the cent, or to more digits for a unit price; null what is no sum of money."""
    # Of two narrow decimals DuckDB makes another, too narrow for a billion.
    return (amount.try_cast(_WIDE) * rate.cast(_WIDE)).round(digits).try_cast(MONEY)


def check_rate_table(rates: ir.Table) -> None:
    """Stop when a day has two rates of one currency, or one that is not above zero: what counts would be chance.

    Raises
    ------
    SourceError
        Naming the first five of such days.
    """
    by_day = rates.group_by("date", currency=_.currency.strip().upper()).agg(rows=_.count(), lowest=_.rate.min())
    doubled = _days(by_day.filter(_.rows > 1))
    if doubled:
        raise SourceError(
            f"The file of rates has more than one rate for {doubled}. Keep one line per day and currency."
        )
    worthless = _days(by_day.filter(_.lowest.isnull() | (_.lowest <= 0)))
    if worthless:
        raise SourceError(f"The file of rates has no rate above zero for {worthless}. Mend or delete these lines.")


def _days(rates: ir.Table) -> str:
    rows = rates.order_by("date", "currency").limit(5).to_pyarrow().to_pylist()
    return quoted(f"{row['date']} {row['currency']}" for row in rows)


def check_rates(*rated: ir.Table) -> None:
    """Stop when a row of any table has no rate: money is never taken at 1.0 by default.

    Raises
    ------
    SourceError
        Naming the currencies, how many rows and the first days without a rate.
    """
    asked = ibis.union(*[table.select("rate", "rate_currency", "rate_date") for table in rated])
    missing = asked.filter(_.rate.isnull()).group_by(currency=_.rate_currency)
    found = missing.agg(rows=_.count(), first=_.rate_date.min(), last=_.rate_date.max()).order_by("currency")
    rows = found.to_pyarrow().to_pylist()
    if rows:
        named = "; ".join(f"'{r['currency']}' for {r['rows']} rows from {r['first']} to {r['last']}" for r in rows)
        raise SourceError(
            f"There is no exchange rate for {quoted(r['currency'] for r in rows)}: {named}. "
            "Add a line per day to the file that 'rates' names in [money] of shop.toml "
            "(columns date, currency, rate to the shop's currency)."
        )
