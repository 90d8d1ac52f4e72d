"""Types that columns of many tables share."""

import ibis.expr.datatypes as dt

INSTANT = dt.Timestamp(timezone="UTC")
MONEY = dt.Decimal(18, 4)
