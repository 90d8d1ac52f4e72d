"""The canonical tables of the part of a shop that filters ask for."""

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import _

from ecomkit.filters import Filters
from ecomkit.metrics.acquisition import new_customers
from ecomkit.periods import all_days
from ecomkit.settings import Settings

# The accounts of the build tell of all rows, and stay whole.
_ABOUT_PEOPLE = ("people", "sessions", "events", "product_events", "emails", "email_clicks")
_ABOUT_ORDERS = ("orders", "order_lines", "refunds", "refund_lines")


@dataclass(frozen=True)
class Part:
    """A part of a shop: its filters, and the tables of the whole by name.

    Orders go by the channel and device of their session (without one, by their own device), their country and
    their lines; sessions by their own columns; calls by their session, or by their order. With
    `select="customers"`, all rows of those customers stay whose first order is asked for.
    """

    filters: Filters
    whole: Callable[[str], ir.Table]
    settings: Settings

    def table(self, name: str) -> ir.Table:
        """Return the rows of a canonical table that belong to the part."""
        table, asked = self.whole(name), self.filters
        if not asked or name not in (*_ABOUT_PEOPLE, *_ABOUT_ORDERS, "ad_spend"):
            return table
        if name in asked.cannot_tell():
            return table.filter(ibis.literal(value=False))
        if name == "ad_spend":
            return _among(table, "channel", asked.channel)
        if name == "refund_lines":
            return table.semi_join(self.table("refunds"), "refund_id")
        if name == "refunds":
            return table.semi_join(self.table("orders"), "order_id")
        if name == "order_lines":
            categories = asked.category if asked.select == "orders" else ()
            return _among(table, "category", categories).semi_join(self.table("orders"), "order_id")
        if name == "orders":
            return self._by_business_orders(self._orders())
        return self._by_business_people(self._visited(name))

    def _orders(self) -> ir.Table:
        orders, asked = self.whole("orders"), self.filters
        if asked.select == "customers":
            return self._of_customers(orders, "customer_id")
        orders = self._by_own_columns(orders)
        return orders.semi_join(self._visits(), "session_id") if asked.channel else orders

    def _visited(self, name: str) -> ir.Table:
        """Return the rows of a table about people: by their person, or by their session."""
        table, asked = self.whole(name), self.filters
        if asked.select == "customers":
            return self._of_customers(table, "person_id")
        if name == "product_events":
            table = _among(table, "category", asked.category)
        if not (asked.channel or asked.device):
            return table
        if name == "sessions":
            return self._visits(asked.device)
        visited = table.semi_join(self._visits(asked.device), "session_id")
        if name != "events":
            return visited
        # A call of the server has no session of its own; its order may have met one.
        by_order = table.filter(_.session_id.isnull()).semi_join(self._orders(), "order_id")
        return visited.union(by_order, distinct=False)

    def _visits(self, devices: tuple[str, ...] = ()) -> ir.Table:
        return _among(_among(self.whole("sessions"), "channel", self.filters.channel), "device_type", devices)

    def _by_own_columns(self, orders: ir.Table) -> ir.Table:
        asked = self.filters
        orders = _among(orders, "country", asked.country)
        if asked.device:
            # An order goes with its session, so that visits and their orders are of one device.
            devices = self.whole("sessions").select("session_id", its_device="device_type")
            met = orders.left_join(devices, "session_id")
            orders = met.filter(met.its_device.coalesce(met.device_type).isin(asked.device)).select(*orders.columns)
        lines = _among(self.whole("order_lines"), "category", asked.category)
        return orders.semi_join(lines, "order_id") if asked.category else orders

    def _of_customers(self, table: ir.Table, person: str) -> ir.Table:
        """Keep the rows of the customers whose first order is asked for, by the channel credited with it."""
        asked = self.filters
        if not (asked.channel or asked.category or asked.country or asked.device):
            return table
        firsts = self._by_own_columns(self.whole("orders")).filter(_.order_number == 1).select("customer_id")
        if asked.channel:
            ever = {"period": all_days(self.settings.time_zone), "look_back_days": 0}
            won = new_customers(self.whole("orders"), self.whole("sessions"), **ever)
            firsts = firsts.semi_join(_among(won, "channel", asked.channel), "customer_id")
        firsts = firsts.select(asked_for="customer_id").distinct()
        return table.semi_join(firsts, table[person] == firsts.asked_for)

    def _by_business_orders(self, orders: ir.Table) -> ir.Table:
        if self.filters.b2b is None:
            return orders
        business = self._business_orders()
        return orders.semi_join(business, "order_id") if self.filters.b2b else orders.anti_join(business, "order_id")

    def _by_business_people(self, table: ir.Table) -> ir.Table:
        if self.filters.b2b is None:
            return table
        business = self._business_orders()
        people = business.select(business="customer_id").distinct()
        # Those that the settings name are business before they order.
        marked = table.left_join(people, table.person_id == people.business)
        is_business = marked.business.notnull() | marked.person_id.isin(self._named()).fill_null(False)
        if "session_id" in table.columns:
            # The visit of a guest's bulk order goes with it, or its order would count in a rate of visits.
            visits = business.filter(_.session_id.notnull()).select(business_visit="session_id").distinct()
            marked = marked.mutate(is_business=is_business)
            marked = marked.left_join(visits, marked.session_id == visits.business_visit)
            is_business = marked.is_business | marked.business_visit.notnull()
        return marked.filter(is_business if self.filters.b2b else ~is_business).select(*table.columns)

    def _named(self) -> list[str]:
        return [f"user:{user}" for user in self.settings.b2b_customers]

    def _business_orders(self) -> ir.Table:
        """Return all orders of business customers: those that the settings name, and whoever ever ordered in bulk."""
        orders, units = self.whole("orders"), self.settings.b2b_order_units
        is_named = orders.customer_id.isin(self._named())
        if units is None:
            return orders.filter(is_named)
        sizes = self.whole("order_lines").group_by("order_id").aggregate(units=_.quantity.sum())
        bulk = orders.semi_join(sizes.filter(_.units >= units), "order_id")
        buyers = bulk.filter(_.customer_id.notnull()).select(buyer="customer_id").distinct()
        of_buyers = orders.semi_join(buyers, orders.customer_id == buyers.buyer)
        return ibis.union(orders.filter(is_named), bulk, of_buyers, distinct=True)


def _among(table: ir.Table, column: str, values: tuple[str, ...]) -> ir.Table:
    return table.filter(table[column].isin(values)) if values else table
