"""Numbers, amounts and dates as a locale writes them, by hand, by Babel's own formatter, and by law."""

import random
import re
import shutil
from datetime import date, timedelta
from decimal import Decimal

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from babel.localedata import locale_identifiers
from babel.numbers import format_decimal
from nbclient import NotebookClient
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from ecomkit import shop as shops
from ecomkit.metrics.comparisons import Comparison
from ecomkit.plots.quality import date_ticks
from ecomkit.plots.style import number_axis, percent_axis
from ecomkit.tables import readable
from ecomkit.words import (
    against,
    count,
    counted,
    day,
    days,
    decimal,
    duration,
    interval,
    is_number,
    money,
    month,
    multiple,
    percent,
    percent_tick,
    short_day,
    short_month,
    span_of_days,
    tick,
    use_locale,
)
from tests.calls import order, track
from tests.conftest import TOML

NOTEBOOKS = sorted((shops.ROOT / "notebooks").glob("*.ipynb"))
FIRST = date(2026, 11, 1)
BY_HAND = {
    # en_GB, en_US, de_DE
    "percent": (lambda: percent(-0.0612), ("-6.1 %", "-6.1%", "-6,1 %")),
    "count": (lambda: count(1234567), ("1,234,567", "1,234,567", "1.234.567")),
    "one of a noun": (lambda: counted(1, "order"), ("1 order", "1 order", "1 order")),
    "decimal": (lambda: decimal(1234.56, 1), ("1,234.6", "1,234.6", "1.234,6")),
    "money": (lambda: money(1234.5, "EUR"), ("EUR 1,234.50", "EUR 1,234.50", "1.234,50 EUR")),
    "money below zero": (lambda: money(-3, "USD"), ("USD -3.00", "USD -3.00", "-3,00 USD")),
    "no minus before a zero": (lambda: money(-0.001, "EUR"), ("EUR 0.00", "EUR 0.00", "0,00 EUR")),
    "money without its currency": (lambda: money(2.5, "").strip(), ("2.50", "2.50", "2,50")),
    "multiple": (lambda: multiple(3.24), ("3.2x", "3.2x", "3,2x")),
    "days": (lambda: days(12.46), ("12.5 days", "12.5 days", "12,5 days")),
    "duration": (lambda: duration(114), ("1.9 minutes", "1.9 minutes", "1,9 minutes")),
    "tick": (lambda: tick(12500.5), ("12,500.5", "12,500.5", "12.500,5")),
    "tick of a rate": (lambda: percent_tick(0.025), ("2.5 %", "2.5%", "2,5 %")),
    "day": (lambda: day(FIRST), ("1 November 2026", "November 1, 2026", "1. November 2026")),
    "month": (lambda: month(date(2026, 10, 1)), ("October 2026", "October 2026", "Oktober 2026")),
    "short day": (lambda: short_day(date(2026, 9, 7)), ("7 Sep", "Sep 7", "7. Sept.")),
    "short month": (lambda: short_month(date(2026, 9, 1)), ("Sep 2026", "Sep 2026", "Sept. 2026")),
    "week": (
        lambda: span_of_days(date(2026, 10, 26), FIRST),
        ("26 October to 1 November 2026", "October 26 to November 1, 2026", "26. Oktober to 1. November 2026"),
    ),
    "week over a new year": (
        lambda: span_of_days(date(2025, 12, 29), date(2026, 1, 4)),
        (
            "29 December 2025 to 4 January 2026",
            "December 29, 2025 to January 4, 2026",
            "29. Dezember 2025 to 4. Januar 2026",
        ),
    ),
    "interval of rates": (lambda: interval(0.056, 0.066, percent), ("5.6 to 6.6 %", "5.6 to 6.6%", "5,6 to 6,6 %")),
    "interval of money": (
        lambda: interval(10, 1200.5, money, "EUR"),
        ("EUR 10.00 to 1,200.50", "EUR 10.00 to 1,200.50", "10,00 to 1.200,50 EUR"),
    ),
    "interval of days": (lambda: interval(1, 3, days), ("1.0 to 3.0 days", "1.0 to 3.0 days", "1,0 to 3,0 days")),
    "interval of multiples": (lambda: interval(1, 3, multiple), ("1.0x to 3.0x", "1.0x to 3.0x", "1,0x to 3,0x")),
    "interval of counts": (lambda: interval(1, 3000, count), ("1 to 3,000", "1 to 3,000", "1 to 3.000")),
    "sentence": (
        lambda: against(Comparison(1500.0, 1200.0, 1800.0, 900.0, 100.0, 1000.0, 0.01, "up"), money, "EUR"),
        (
            "up from EUR 900.00 the week before",
            "up from EUR 900.00 the week before",
            "up from 900,00 EUR the week before",
        ),
    ),
}


@pytest.mark.parametrize("place", range(3), ids=["en_GB", "en_US", "de_DE"])
@pytest.mark.parametrize(("write", "shown"), BY_HAND.values(), ids=BY_HAND)
def test_a_locale_writes_its_own_way(write, shown, place):
    use_locale(["en_GB", "en_US", "de_DE"][place])
    assert write() == shown[place]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("fr_FR", ("-1 234,50 EUR", "10,00 to 12,50 EUR", "-6,1 %", "1 novembre 2026"), id="fr_FR"),
        pytest.param("ar_EG", ("-1,234.50 EUR", "10.00 to 12.50 EUR", "-6.1%", "1 نوفمبر 2026"), id="ar_EG"),
        pytest.param("hi_IN", ("EUR -1,234.50", "EUR 10.00 to 12.50", "-6.1%", "1 नवंबर 2026"), id="hi_IN"),
        pytest.param("sv_SE", ("−1 234,50 EUR", "10,00 to 12,50 EUR", "−6,1 %", "1 november 2026"), id="sv_SE"),
        pytest.param("tr_TR", ("EUR -1.234,50", "EUR 10,00 to 12,50", "%-6,1", "1 Kasım 2026"), id="tr_TR"),
        pytest.param("ja_JP", ("EUR -1,234.50", "EUR 10.00 to 12.50", "-6.1%", "2026年11月1日"), id="ja_JP"),
    ],
)
def test_signs_places_and_names_of_other_locales(name, shown):
    use_locale(name)
    assert (money(-1234.5, "EUR"), interval(10, 12.5, money, "EUR"), percent(-0.0612), day(FIRST)) == shown


@pytest.mark.parametrize(
    ("name", "shown"), [("en_IN", "12,34,56,789"), ("de_CH", "123’456’789"), ("en_US_POSIX", "123456789")]
)
def test_digits_stand_in_the_groups_of_the_locale(name, shown):
    use_locale(name)
    assert count(123456789) == shown


def test_the_year_is_written_once_where_it_comes_first():
    use_locale("ja_JP")
    assert span_of_days(date(2026, 10, 26), FIRST) == "2026年10月26日 to 11月1日"


def test_a_locale_without_short_months_writes_whole_ones():
    use_locale("ar_EG")
    assert (short_day(FIRST), short_month(FIRST)) == ("1 نوفمبر", "نوفمبر 2026")


def values(number):
    dice = random.Random(number)
    drawn = [dice.uniform(-1, 1) * 10 ** dice.randint(-3, 9) for _ in range(number)]
    return [*drawn, 0.0, -0.001, 0.125, 2.675, 999.995]


def test_the_house_writes_as_python_does():
    for value in values(500):
        fixed = f"{value:,.2f}"
        fixed = fixed.removeprefix("-") if not re.search("[1-9]", fixed) else fixed
        assert (money(value, "EUR"), tick(value)) == (f"EUR {fixed}", f"{value:,.10g}")
        assert percent_tick(value) == f"{value * 100:.10g} %"
    for one in (FIRST + timedelta(days=number) for number in range(-400, 400)):
        assert day(one) == f"{one.day} {one:%B %Y}"
        assert (month(one), short_month(one), short_day(one)) == (f"{one:%B %Y}", f"{one:%b %Y}", f"{one:%-d %b}")


@pytest.mark.parametrize("name", ["de_DE", "en_US", "fr_FR", "sv_SE", "tr_TR", "hi_IN", "ar_EG"])
def test_every_locale_shows_the_digits_of_the_house(name):
    """Halves are rounded alike, so nobody reads other numbers in another language."""
    for value in values(200):
        use_locale("en_GB")
        house = [re.sub(r"\D", "", text) for text in (money(value, ""), percent(value))]
        use_locale(name)
        assert [re.sub(r"\D", "", text) for text in (money(value, ""), percent(value))] == house


def looks_right(name):
    """Hold what a locale writes against Babel's formatter, and against itself."""
    use_locale(name)
    babel = format_decimal(Decimal("1234567.89"), locale=name)
    tidy = re.sub("[\u200e\u200f\u061c]", "", re.sub("[\u00a0\u202f]", " ", babel))
    texts = [money(-1234567.89, "EUR"), percent(0.0612), count(1234), interval(-5.5, 1e6, money, "EUR")]
    return tidy in texts[0] and all(map(is_number, texts)) and all(form(FIRST) for form in (day, month, short_day))


@pytest.mark.parametrize("name", ["de", "fa_IR", "he_IL", "hi_IN", "pt_BR", "th_TH", "ur_PK", "zh_Hant_TW"])
def test_what_babel_writes_stands_in_what_we_write(name):
    assert looks_right(name)


@pytest.mark.slow
def test_no_locale_that_babel_knows_fails():
    names = locale_identifiers()
    assert len(names) > 1000
    assert [name for name in names if not looks_right(name)] == []


EVERYWHERE = ["0", "7", "-7", "31", "1.5", "1e-05", "nan", "NaN", "None", "NaT", "<NA>", "unknown", "–"]
NOWHERE = ["", "Email", "W44", "2026-W44", "1 November 2026", "6 or more", "EUR", "%", "to", "5 to", "1 2", "1.85.0"]
NUMBERS = {
    "en_GB": [
        *("1,234", "1,234,567.5", "EUR 1,234.50", "EUR -3.00", "EUR 10.00 to 12.50", "5.6 to 6.6 %", "-81.0 %"),
        *("3.2x", "1.0x to 3.0x", "12.5 days", "1.0 to 3.0 days", "+1,234.50"),
    ],
    "de_DE": [
        *("1.234", "1.234.567,5", "1.234,50 EUR", "-3,00 EUR", "10,00 to 12,50 EUR", "5,6 to 6,6 %", "-81,0 %"),
        *("3,2x", "1,0x to 3,0x", "12,5 days", "1,0 to 3,0 days", "+1.234,50"),
    ],
}


@pytest.mark.parametrize(
    ("name", "foreign"),
    [
        pytest.param("en_GB", ["1.234.567,5", "1.234,50 EUR", "10,00 to 12,50 EUR", "5,6 to 6,6 %"], id="en_GB"),
        pytest.param("de_DE", ["1,234,567.5", "EUR 1,234.50", "EUR 10.00 to 12.50", "5.6 to 6.6 %"], id="de_DE"),
    ],
)
def test_a_number_of_ours_is_told_from_text_and_from_one_of_another_locale(name, foreign):
    use_locale(name)
    assert [text for text in EVERYWHERE + NUMBERS[name] if not is_number(text)] == []
    assert [text for text in NOWHERE + foreign if is_number(text)] == []


def test_opening_a_shop_brings_its_locale(make_shop):
    call = track("Order Completed", "d1", "2026-10-28T12:00:00Z", **order(revenue=1234.5))
    shops.open_shop(make_shop(call, toml=TOML.replace("[[source]]", 'locale = "de_DE"\n[[source]]')))
    assert money(1234.5, "EUR") == "1.234,50 EUR"


def test_a_table_follows_the_locale():
    use_locale("de_DE")
    frame = pd.DataFrame(
        {
            "cohort_month": pd.to_datetime(["2026-10-01"]),
            "first_order": pd.to_datetime(["2026-10-02"]),
            "orders": [1234],
            "revenue": [1234.5],
            "repeat_purchase_rate": [0.0612],
            "repeat_purchase_rate_low": [0.05],
            "repeat_purchase_rate_high": [0.07],
            "ltv_to_cac": [3.21],
        }
    )
    assert readable(frame, currency="EUR").iloc[0].to_dict() == {
        "cohort month": "Oktober 2026",
        "first order": "2. Oktober 2026",
        "orders": "1.234",
        "revenue (EUR)": "1.234,50",
        "repeat purchase rate": "6,1 %",
        "repeat purchase rate, 95 % interval": "5,0 to 7,0 %",
        "ltv to cac": "3,2x",
    }


def test_axes_follow_the_locale():
    use_locale("de_DE")
    _figure, ax = plt.subplots()
    ax.plot(pd.to_datetime(["2026-09-07", "2026-10-05"]), [0, 2500])
    number_axis(ax.yaxis, "Revenue", unit="EUR")
    date_ticks(ax, pd.to_datetime(["2026-09-07", "2026-10-05"]))
    assert "2.500" in [label.get_text() for label in ax.get_yticklabels()]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["7. Sept.", "21. Sept.", "5. Okt."]
    date_ticks(ax, pd.to_datetime(["2026-01-01", "2026-10-05"]))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Okt. 2026"]
    ax.set_ylim(0, 0.1)
    percent_axis(ax.yaxis, "Rate")
    assert [label.get_text() for label in ax.get_yticklabels()][:3] == ["0 %", "2 %", "4 %"]
    ax.set_ylim(0, 0.015)
    assert "0,5 %" in [label.get_text() for label in ax.get_yticklabels()]


# `1,234`, `1.5` but not `1.85.0`, `EUR 5`, `5 October` and `October 2026`, as no German writes them.
ENGLISH = re.compile(
    r"\d,\d{3}(?!\d)|(?<![\d.])\d+\.\d{1,2}(?![\d.])|\bEUR -?\d"
    r"|\d (?:January|February|March|May|June|July|October|December)|(?:January|March|May|June|July|October) \d"
)


@pytest.fixture(scope="module")
def german_shop(tmp_path_factory):
    """The fixture shop with a German shop.toml, and where it is built."""
    folder = tmp_path_factory.mktemp("german") / "shop"
    shutil.copytree(shops.ROOT / "data" / "fixtures" / "shop", folder)
    toml = (folder / "shop.toml").read_text(encoding="utf-8")
    (folder / "shop.toml").write_text(toml.replace("[shop]", '[shop]\nlocale = "de_DE"', 1), encoding="utf-8")
    return folder, folder.parent / "store"


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_of_a_german_shop_shows_no_english_number(path, german_shop):
    folder, store = german_shop
    notebook = parameterize_notebook(load_notebook_node(str(path)), {"shop_name": str(folder)})
    own_store = f"import pathlib, ecomkit.shop; ecomkit.shop.STORE = pathlib.Path({str(store)!r})"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(own_store))
    NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.data["text/plain"] for output in outputs if "data" in output and "image/png" not in output.data]
    assert any("1.796 orders" in text for text in texts)
    assert [(found[0], text) for text in texts if (found := ENGLISH.search(text))] == []
