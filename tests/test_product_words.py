"""What is said of products."""

import pandas as pd
import pytest

from ecomkit.words import (
    apart_from_others,
    bought_together,
    brought_most,
    gaps,
    gateways,
    hidden_pairs,
    looks_that_end,
    most_ordered_of_views,
    noun_of,
    place_in_list,
    rose_and_fell,
    sent_back_most,
    what_amplitude_shows,
)

BY = {"by": "product_id"}


def frame(columns, *rows):
    return pd.DataFrame(rows, columns=columns.split())


@pytest.mark.parametrize(
    ("by", "one", "several"),
    [("product_id", "product", "products"), ("sku", "SKU", "SKUs"), ("category", "category", "categories")],
)
def test_a_group_is_called_by_its_noun(by, one, several):
    assert (noun_of(by), noun_of(by, 2), noun_of(by, 0)) == (one, several, several)


PATH = "name orders revenue refund_rate refund_rate_low refund_rate_high"


def test_what_brought_most_and_what_was_sent_back():
    path = frame(PATH, ("Fog", 40, 90.5, 0.10, 0.05, 0.2), ("Pine", 1, 50.0, 0.9, 0.5, 1.0), (None, 50, 99.0, 1, 1, 1))
    assert brought_most(path, "EUR", **BY) == "Fog brought most, EUR 90.50 in 40 orders"
    assert sent_back_most(path, **BY, floor=30) == (
        "of Fog the largest share was sent back, 10.0 % of its revenue (5.0 to 20.0 %)"
    )
    assert sent_back_most(path, **BY, floor=41) == "no product has 41 orders to tell what is sent back"
    assert sent_back_most(path.assign(refund_rate=0.0), by="brand", floor=30) == (
        "nothing was sent back of the brands with at least 30 orders"
    )
    nothing = frame(PATH)
    assert brought_most(nothing, "EUR", by="category") == "no category was ordered"
    assert brought_most(path.assign(orders=0), "EUR", **BY) == "no product was ordered"


def test_names_from_outside_are_shortened_and_open_no_bold_text():
    path = frame(PATH, ("**Fog** " + "x" * 200, 40, 90.5, 0.1, 0.0, 0.2))
    told = brought_most(path, "EUR", **BY)
    assert "**" not in told
    assert len(told) < 130


def test_looks_that_end_in_an_order_are_compared():
    class Rate:
        value, before, verdict, across = 0.25, 0.2, "up", ()

    assert looks_that_end(Rate, "2026-W44") == (
        "25.0 % of looks at a product in 2026-W44 ended in its order, up from 20.0 % the week before"
    )
    Rate.value = float("nan")
    assert looks_that_end(Rate, "2026-W44") == "nobody is known to have viewed a product in 2026-W44"


RATES = "name sessions visit_to_order_rate visit_to_order_rate_of_rest adjusted_p_value verdict"


def test_the_best_of_the_large_and_who_stands_apart():
    rates = frame(
        RATES,
        ("Fog", 100, 0.2, 0.1, 0.01, "up"),
        ("Pine", 90, 0.02, 0.15, 0.001, "down"),
        ("Mint", 80, 0.1, 0.1, 0.9, "within noise"),
        ("Few", 3, 1.0, 0.1, None, "cannot tell"),
    )
    assert most_ordered_of_views(rates, **BY, floor=30) == (
        "Fog is ordered most often once it is viewed, in 20.0 % of the sessions"
    )
    assert most_ordered_of_views(rates, **BY, floor=101) == "no product was viewed in 101 sessions"
    many = pd.concat([rates[:1]] * 12 + [rates[:1].assign(name="Later", visit_to_order_rate=0.9)])
    assert most_ordered_of_views(many, **BY, floor=30).startswith("of the products viewed most, Fog is ordered")
    assert apart_from_others(rates, "visit_to_order_rate", **BY) == (
        "Fog stands out above the others, 20.0 % against 10.0 %; Pine stands out below the others, 2.0 % against 15.0 %"
    )
    alike = rates.assign(verdict="within noise")
    assert apart_from_others(alike, "visit_to_order_rate", **BY) == (
        "no product stands out from the others by more than chance"
    )
    small = rates.assign(verdict="cannot tell")
    assert apart_from_others(small, "visit_to_order_rate", by="brand") == (
        "no brand is large enough to compare with the others"
    )
    assert apart_from_others(frame(RATES), "visit_to_order_rate", **BY) == (
        "no product is large enough to compare with the others"
    )


RANKS = "name rank rank_before revenue revenue_before verdict"


def test_who_rose_and_who_fell():
    ranks = frame(
        RANKS,
        ("Fog", 1, 4, 500.0, 100.0, "up"),
        ("Pine", 2, 1, 200.0, 500.0, "down"),
        ("New", 3, None, 190.0, 0.0, "up"),
        ("Gone", None, 3, 0.0, 150.0, "down"),
        ("Same", 4, 4, 10.0, 9.0, "within noise"),
    )
    told = rose_and_fell(ranks, **BY, when="the weeks before")
    assert told == "Fog rose from rank 4 to 1, Pine fell from rank 1 to 2 and New came in at rank 3, and 1 more moved"
    last = rose_and_fell(ranks[3:], **BY, when="the weeks before")
    assert last == "Gone no longer sells (rank 3 before)"
    kept = frame(RANKS, ("Fog", 1, 1, 500.0, 100.0, "up"))
    assert rose_and_fell(kept, **BY, when="before") == "Fog sold more and kept rank 1"
    assert rose_and_fell(ranks[4:], **BY, when="the weeks before") == (
        "no product rose or fell by more than chance against the weeks before"
    )
    assert rose_and_fell(frame(RANKS), by="sku", when="before") == "no SKU sold enough to tell whether it moved"


class Found:
    verdict = "up"


def test_how_often_the_first_place_is_opened():
    columns = "position opened_rate listings opened_by"
    places = frame(columns, (1, 0.1, 2000, "Product Clicked"), (2, 0.05, 1000, "Product Clicked"))
    assert place_in_list(places, Found) == (
        "place 1 is opened in 10.0 % of 2,000 listings, place 2 in 5.0 %: more often"
    )
    assert place_in_list(places[:1], Found) == "place 1 is opened in 10.0 % of 2,000 listings"
    assert place_in_list(frame(columns), Found) == "no list was viewed that tells the places of its products"


def test_what_goes_together_and_what_is_hidden():
    columns = "first_name second_name orders_with_both lift lift_low verdict"
    pairs = frame(columns, ("a", "b", 40, 9.5, 1.1, "up"), ("c", "d", 50, 2.5, 2.0, "up"), ("e", "f", 50, 9, 8, "down"))
    assert bought_together(pairs) == (
        "c with d (50 orders, lift 2.5) and a with b (40 orders, lift 9.5) go together most clearly"
    )
    assert bought_together(pairs[:1]) == "a with b (40 orders, lift 9.5) goes together most clearly"
    assert bought_together(pairs[2:]) == "no pair is bought together more often than pairs are"
    looked_at = pd.Series({"pairs_hidden": 1200, "orders_too_large": 0})
    assert hidden_pairs(looked_at, floor=30) == "hidden for being in fewer than 30 orders: 1,200 pairs"
    looked_at["orders_too_large"] = 1
    assert hidden_pairs(looked_at, floor=30).endswith("; left out for too many products: 1 order")


def test_who_came_back_more_and_less_often():
    columns = "name repeat_rate_difference repeat_purchase_rate expected_repeat_rate repeat_verdict"
    firsts = frame(
        columns, ("Fog", 0.2, 0.4, 0.25, "up"), ("Pine", -0.1, 0.1, 0.2, "down"), ("Mint", 0.3, 0.5, 0.2, "cannot tell")
    )
    assert gateways(firsts, **BY, floor=30) == (
        "who first bought Fog came back more often, 40.0 % against 25.0 % of new customers of the same channel and "
        "month; who first bought Pine came back less often, 10.0 % against 20.0 % of new customers of the same channel "
        "and month"
    )
    alike = firsts.assign(repeat_verdict="within noise")
    assert gateways(alike, **BY, floor=30) == "no first product goes with coming back by more than chance"
    assert gateways(firsts[2:], **BY, floor=30) == "no first product has 30 customers to compare yet"


def test_a_gap_is_called_possible():
    columns = "name without_view_rate without_view_rate_of_rest verdict"
    rows = frame(columns, ("Fog", 0.9, 0.2, "up"), ("Pine", 0.5, 0.2, "up"), ("Mint", 0.1, 0.3, "within noise"))
    assert gaps(rows, **BY) == (
        "a possible tracking gap: Fog, 90.0 % of its orders against 20.0 % of the others, and 1 more"
    )
    assert gaps(rows[2:], **BY) == "no product stands out as a tracking gap"
    assert gaps(frame(columns), by="brand") == "no brand sold enough to tell a tracking gap"


def test_what_amplitude_shows_under_either_setting():
    figures = frame(
        "figure events amount",
        ("order_completed_events", 1, None),
        ("product_purchased_events", 2, None),
        ("revenue_by_default", None, 20.0),
        ("revenue_per_product", None, 25.0),
        ("revenue_of_the_kit", None, 20.0),
    )
    assert what_amplitude_shows(figures, "EUR") == (
        "2 Product Purchased of 1 order, worth EUR 20.00 by default and EUR 25.00 per product, where the kit counts "
        "EUR 20.00"
    )
