import pytest

from ecomkit.errors import SettingsError
from ecomkit.settings import load_settings
from ecomkit.shop import ROOT

GOOD = """
[shop]
name = "Test"
time_zone = "Europe/Berlin"
currency = "EUR"
[[source]]
kind = "segment_files"
path = "calls/"
"""


def settings_of(tmp_path, text):
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_defaults_are_filled_in_and_paths_count_from_the_folder(tmp_path):
    settings = settings_of(tmp_path, GOOD)
    assert settings.sources[0].path == tmp_path / "calls"
    assert (settings.refund_look_back_days, settings.min_group, settings.margin) == (30, 30, 1.0)
    assert settings.new_customer_look_back_days == 365


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            GOOD + "[refund]\nlook_back_days = 3\n", "unknown section '[refund]'. Did you mean 'refunds'?", id="section"
        ),
        pytest.param(
            GOOD + "[limits]\nmin_groups = 3\n",
            "unknown key 'min_groups' in [limits]. Did you mean 'min_group'?",
            id="key",
        ),
        pytest.param(
            GOOD + "[limits]\nmin_group = 'many'\n", "'min_group' in [limits] is 'many', not of type int", id="type"
        ),
        pytest.param(
            GOOD + "[limits]\nmin_group = true\n",
            "'min_group' in [limits] is True, not of type int",
            id="a truth value",
        ),
        pytest.param(
            GOOD.replace("Europe/Berlin", "Berlin"),
            "'time_zone' is 'Berlin', which is not a zone such as 'Europe/Berlin'",
            id="zone",
        ),
        pytest.param(GOOD.replace('currency = "EUR"', ""), "[shop] lacks 'currency'", id="missing"),
        pytest.param(
            GOOD.replace("segment_files", "segment"),
            "[[source]] 1 has kind 'segment', not one of 'segment_files', 'order_files', 'ad_spend'",
            id="kind",
        ),
        pytest.param(GOOD.replace('path = "calls/"', ""), "[[source]] 1 lacks 'path'", id="path"),
        pytest.param(
            GOOD + 'platfrom = "x"\n', "unknown key 'platfrom' in [[source]] 1 (segment_files)", id="source key"
        ),
        pytest.param(
            GOOD + '[money]\nrule = "gross"\n',
            "'rule' in [money] is 'gross', not one of 'detect', 'after_discount', 'before_discount'",
            id="money rule",
        ),
        pytest.param(
            GOOD + "[margin]\ndefault = 60\n", "'default' in [margin] is 60, not between 0 and 1", id="margin"
        ),
        pytest.param(
            GOOD.replace("EUR", "eur"), "'currency' is 'eur', not a code of three capitals such as 'EUR'", id="currency"
        ),
        pytest.param(
            GOOD + '[channels]\nrules = [{chanel = "x", channel = "y"}]\n',
            "unknown key 'chanel' in a rule of [channels]. Did you mean 'channel'?",
            id="channel rule",
        ),
        pytest.param(
            GOOD + '[spend]\nmonthly_fees = {Paid_Search = "500"}\n',
            "'Paid_Search' in 'monthly_fees' of [spend] is '500', not a number",
            id="fee",
        ),
        pytest.param(
            GOOD + "[exclude]\nstaff = [1]\n", "'staff' holds [1], which are not texts", id="list of something else"
        ),
        pytest.param(GOOD.split("[[source]]")[0], "there is no [[source]]", id="no source"),
    ],
)
def test_each_problem_is_named(tmp_path, text, problem):
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, text)
    path = tmp_path / "shop.toml"
    assert str(caught.value) == f"'{path}' cannot be used: {problem}. Mend these and run again.".replace("?.", "?")


def test_all_problems_are_named_at_once(tmp_path):
    text = GOOD.replace("Europe/Berlin", "Berlin") + "[limits]\nmin_groups = 3\n"
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, text)
    assert "min_groups" in str(caught.value)
    assert "time_zone" in str(caught.value)


def test_a_missing_file_and_broken_toml_say_so(tmp_path):
    with pytest.raises(SettingsError, match=r"^There is no settings file '.*'\. A shop is a folder with a shop\.toml"):
        load_settings(tmp_path / "shop.toml")
    with pytest.raises(SettingsError, match=r"is not TOML: .*end of document.* Mend that line\.$"):
        settings_of(tmp_path, "[shop")


@pytest.mark.parametrize(
    "name", ["data/fixtures/shop", "data/fixtures/tiny", "examples/cdnow", "examples/online_retail"]
)
def test_every_committed_shop_has_good_settings(name):
    assert load_settings(ROOT / name / "shop.toml").sources
