"""Which convention a sender's money follows, and the shop's currency."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.errors import SourceError, quoted
from ecomkit.schemas import MONEY

CENT = Decimal("0.01")
_FACTOR = "decimal(18, 6)"


def with_money_rule(drafts: ir.Table, *, rule: str) -> ir.Table:
    """Give drafts `gross, discount, revenue, order_total` and the `money_rule` they were read by.

    Revenue is after discount, before shipping and tax. Senders differ in what they
    put into `revenue`: `detect` asks, per source, whether it equals the items less
    the discount (`after_discount`) or the items alone (`before_discount`) in more of
    the orders that have both a discount and items; without a majority it is read as after.
    An order without `revenue` has its subtotal, else its total less shipping and tax,
    both after discount by their meaning, else its items less the discount.
    """
    sent = drafts.mutate(
        names_revenue=_.revenue.notnull(),
        revenue=ibis.coalesce(_.revenue, _.subtotal, _.total - _.shipping.fill_null(0) - _.tax.fill_null(0)),
    )
    telling = sent.names_revenue & (sent.discount > 0) & sent.lines_gross.notnull()
    by_source = ibis.window(group_by="source")
    before = (telling & ((sent.revenue - sent.lines_gross).abs() <= CENT)).fill_null(False)
    after = (telling & ((sent.revenue - (sent.lines_gross - sent.discount)).abs() <= CENT)).fill_null(False)
    detected = ibis.ifelse(
        before.cast("int64").sum().over(by_source) > after.cast("int64").sum().over(by_source),
        "before_discount",
        "after_discount",
    )
    ruled = sent.mutate(money_rule=detected if rule == "detect" else ibis.literal(rule))
    no_money = ruled.revenue.isnull()
    discount = ruled.discount.fill_null(0)
    revenue = ibis.cases(
        (no_money, ibis.greatest(ruled.lines_gross.fill_null(0) - discount, 0)),
        (ruled.names_revenue & (ruled.money_rule == "before_discount"), ruled.revenue - discount),
        else_=ruled.revenue,
    )
    priced = ruled.mutate(revenue=revenue)
    gross = ibis.coalesce(priced.lines_gross, priced.revenue + discount)
    return priced.mutate(
        gross=gross,
        discount=ibis.coalesce(priced.discount, ibis.greatest(gross - priced.revenue, 0)),
        order_total=ibis.coalesce(
            priced.total, priced.revenue + priced.shipping.fill_null(0) + priced.tax.fill_null(0)
        ),
    )


def converted(table: ir.Table, rates: ir.Table, *, day: ir.DateValue, currency: str) -> ir.Table:
    """Give rows the `rate` from their currency to the shop's on a `day`; no currency means the shop's."""
    dated = table.mutate(rate_date=day, rate_currency=ibis.coalesce(table.currency.upper(), currency))
    known = rates.select(rate_date=_.date, rate_currency=_.currency.upper(), stored=_.rate)
    joined = dated.left_join(known, ["rate_date", "rate_currency"])
    rate = ibis.ifelse(joined.rate_currency == currency, Decimal(1), joined.stored)
    return joined.mutate(rate=rate.cast(_FACTOR)).drop("stored", "rate_date_right", "rate_currency_right")


def in_shop_currency(amount: ir.DecimalValue, rate: ir.DecimalValue, *, digits: int = 2) -> ir.DecimalValue:
    """Return money times its rate, to the cent, or to more digits for a unit price."""
    return (amount.cast(_FACTOR) * rate).round(digits).cast(MONEY)


def check_rate_table(rates: ir.Table) -> None:
    """Stop when a day has two rates of one currency: which one counts would be chance.

    Raises
    ------
    SourceError
        Naming the first five of such days.
    """
    doubled = rates.group_by("date", currency=_.currency.upper()).agg(rows=_.count()).filter(_.rows > 1)
    rows = doubled.order_by("date", "currency").limit(5).to_pyarrow().to_pylist()
    if rows:
        named = quoted(f"{row['date']} {row['currency']}" for row in rows)
        raise SourceError(f"The file of rates has more than one rate for {named}. Keep one line per day and currency.")


def check_rates(rated: ir.Table) -> None:
    """Stop when a row has no rate: money is never taken at 1.0 by default.

    Raises
    ------
    SourceError
        Naming the currencies, how many rows and the first days without a rate.
    """
    missing = rated.filter(_.rate.isnull()).group_by(currency=_.rate_currency)
    found = missing.agg(rows=_.count(), first=_.rate_date.min(), last=_.rate_date.max()).order_by("currency")
    rows = found.to_pyarrow().to_pylist()
    if rows:
        named = "; ".join(f"'{r['currency']}' for {r['rows']} rows from {r['first']} to {r['last']}" for r in rows)
        raise SourceError(
            f"There is no exchange rate for {quoted(r['currency'] for r in rows)}: {named}. "
            "Add a line per day to the file that 'rates' names in [money] of shop.toml "
            "(columns date, currency, rate to the shop's currency)."
        )
