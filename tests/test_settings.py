import pytest

from ecomkit.errors import SettingsError
from ecomkit.settings import TRUST_LIMITS, load_settings
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
TABLES = GOOD.replace("segment_files", "segment_tables").replace('path = "calls/"', 'url = "postgres://host/db"')
SPEND = GOOD.replace("segment_files", "ad_spend").replace('path = "calls/"\n', "")
NO_TEXT = "'url' in [[source]] 1 is not a text such as 'postgres://host/database'"


def settings_of(tmp_path, text):
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_defaults_are_filled_in_and_paths_count_from_the_folder(tmp_path):
    settings = settings_of(tmp_path, GOOD)
    assert settings.sources[0].path == tmp_path / "calls"
    assert (settings.refund_look_back_days, settings.min_group, settings.margin) == (30, 30, 1.0)
    assert settings.new_customer_look_back_days == settings.identity_look_back_days == 365
    assert settings.trust_limits == TRUST_LIMITS
    assert settings.locale == "en_GB"


def test_a_limit_of_the_shops_own_leaves_the_others(tmp_path):
    settings = settings_of(tmp_path, GOOD + "[limits]\nlate_share = [0, 0.5]\n")
    assert settings.trust_limits == TRUST_LIMITS | {"late_share": (0, 0.5)}


def with_locale(name):
    return GOOD.replace("[[source]]", f'locale = "{name}"\n[[source]]')


@pytest.mark.parametrize("name", ["de_DE", "de", "en_US", "zh_TW", "zh_Hant_TW", "ar_EG", "en_GB.UTF-8", "en_UK"])
def test_a_locale_that_babel_knows_is_taken(tmp_path, name):
    assert settings_of(tmp_path, with_locale(name)).locale == name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            with_locale("de-DE"),
            "'locale' is 'de-DE', which is not a locale such as 'de_DE'. Did you mean 'de_DE'?",
            id="a locale with a hyphen",
        ),
        pytest.param(
            with_locale("de_XX"),
            "'locale' is 'de_XX', which is not a locale such as 'de_DE'. Did you mean 'de_LU'?",
            id="a locale of no country",
        ),
        pytest.param(with_locale("?"), "'locale' is '?', which is not a locale such as 'de_DE'", id="no locale"),
        pytest.param(with_locale(""), "'locale' is '', which is not a locale such as 'de_DE'", id="an empty locale"),
        pytest.param(
            with_locale("de_DE").replace("locale =", "locales ="),
            "unknown key 'locales' in [shop]. Did you mean 'locale'?",
            id="a key near the locale",
        ),
        pytest.param(
            with_locale("de_DE").replace('"de_DE"', "49"), "'locale' in [shop] is 49, not of type str", id="a number"
        ),
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
            GOOD + "[limits]\nlate_share = [0.3, 0.1]\n",
            "'late_share' in [limits] is [0.3, 0.1], not two shares such as [0.02, 0.10]: above them amber, and red",
            id="limits the wrong way round",
        ),
        pytest.param(
            GOOD + "[b2b]\norder_units = 0\n", "'order_units' in [b2b] is 0, not 1 or more", id="bulk of nothing"
        ),
        pytest.param(
            GOOD + "[b2b]\ncustomers = [5]\n", "'customers' holds [5], which are not texts", id="customers by number"
        ),
        pytest.param(
            GOOD + "[limits]\nmin_group = 0\n", "'min_group' in [limits] is 0, not 1 or more", id="a group of nobody"
        ),
        pytest.param(
            GOOD + "[channels]\nrules = [{channel = 'X', utm_medium = 5}]\n",
            "'utm_medium' of the rule {'channel': 'X', 'utm_medium': 5} in [channels] must be text, "
            "such as 'creator' or '*sale*'",
            id="a channel rule that is no text",
        ),
        pytest.param(
            GOOD + "[identity]\nundo = ['user:u1']\n",
            "'user' of 'user:u1' in 'undo' of [identity] is no type of identifier. "
            "Write 'anonymous_id', 'email', 'user_id', or the type of an external id",
            id="a person on the undo list",
        ),
        pytest.param(
            GOOD + "[identity]\nundo = ['emial:x']\n",
            "'emial' of 'emial:x' in 'undo' of [identity] is no type of identifier. "
            "Write 'anonymous_id', 'email', 'user_id', or the type of an external id",
            id="a slip there",
        ),
        pytest.param(
            GOOD + "[limits]\nlate_share = [0.1]\n",
            "'late_share' in [limits] is [0.1], not two shares such as [0.02, 0.10]: above them amber, and red",
            id="one limit",
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
            "[[source]] 1 has kind 'segment', not one of 'segment_files', 'segment_tables', 'order_files', 'ad_spend'",
            id="kind",
        ),
        pytest.param(GOOD.replace('path = "calls/"', ""), "[[source]] 1 lacks 'path'", id="path"),
        pytest.param(
            GOOD + 'platfrom = "x"\n', "unknown key 'platfrom' in [[source]] 1 (segment_files)", id="source key"
        ),
        pytest.param(TABLES.replace("url", "ulr"), "[[source]] 1 lacks 'url'", id="no url"),
        pytest.param(TABLES.replace('url = "postgres://host/db"', "url = 5"), NO_TEXT, id="url that is no text"),
        pytest.param(TABLES.replace("postgres://host/db", ""), NO_TEXT, id="empty url"),
        pytest.param(
            TABLES + "schema = [1]\n", "'schema' in [[source]] 1 is [1], not a text or a list of texts", id="schema"
        ),
        pytest.param(
            TABLES + 'path = "calls/"\n', "unknown key 'path' in [[source]] 1 (segment_tables)", id="path of tables"
        ),
        pytest.param(
            GOOD + 'url = "postgres://host/db"\n',
            "unknown key 'url' in [[source]] 1 (segment_files)",
            id="url of files",
        ),
        pytest.param(
            TABLES + 'schemas = "shop"\n',
            "unknown key 'schemas' in [[source]] 1 (segment_tables). Did you mean 'schema'?",
            id="near miss of schema",
        ),
        pytest.param(SPEND, "[[source]] 1 lacks 'path' or 'url'", id="spend that lies nowhere"),
        pytest.param(
            SPEND + 'path = "ads.csv"\nurl = "postgres://host/db"\n',
            "[[source]] 1 has both 'path' and 'url', of which one must go",
            id="spend in two places",
        ),
        pytest.param(
            SPEND + 'path = "ads.csv"\nschema = "ads"\n',
            "'schema' in [[source]] 1 belongs to a 'url', and there is none",
            id="schema of a file",
        ),
        pytest.param(
            GOOD + '[money]\nrule = "gross"\n',
            "'rule' in [money] is 'gross', not one of 'detect', 'after_discount', 'before_discount', "
            "'discount_ignored', 'revenue_is_total', 'total_is_goods', 'tax_in_prices', "
            "'tax_in_revenue', 'discount_in_prices'",
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
        pytest.param(
            GOOD + "[[alerts]]\norders = {below = 5}\n",
            "'alerts' is a list, not a section: write [alerts], in single brackets, once above its keys",
            id="list of alerts",
        ),
        pytest.param(
            GOOD + "[[margin]]\ndefault = 0.5\n",
            "'margin' is a list, not a section: write [margin], in single brackets, once above its keys",
            id="list in place of another section",
        ),
        pytest.param(
            "alerts = true\n" + GOOD,
            "'alerts' is True, not a section: write [alerts], in single brackets, once above its keys",
            id="a value in place of a section",
        ),
        pytest.param(
            TABLES.replace("[[source]]", "[source]").replace("//host", "//me:secret@host"),
            "'source' is not a list of sections: write [[source]], in double brackets, above each; there is no "
            "[[source]]",
            id="a single source",
        ),
    ],
)
def test_each_problem_is_named(tmp_path, text, problem):
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, text)
    path = tmp_path / "shop.toml"
    assert str(caught.value) == f"'{path}' cannot be used: {problem}. Mend these and run again.".replace("?.", "?")


@pytest.mark.parametrize(
    "url",
    [
        "postgres://ana:hunter2@host/db",
        "postgres://ana:hunter2/x?y@host/db",
        "postgres:ana:hunter2@host/db",
        "postgres://host/db?user=ana&password=hunter2",
        "postgres://host/db?sslpassword=hunter2",
        "snowflake://host/db?access_token=hunter2",
        "databricks://host?api_key=hunter2",
        "clickhouse://host?PWD=hunter2",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path, url):
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, TABLES.replace("postgres://host/db", url))
    assert str(caught.value) == (
        f"'{tmp_path / 'shop.toml'}' cannot be used: 'url' in [[source]] 1 holds a password or another secret, which "
        "does not belong into a file: give it by the environment (PGPASSWORD), in .pgpass or as application default "
        "credentials, and take it out of the url. Mend these and run again."
    )


@pytest.mark.parametrize(
    ("url", "kept", "name"),
    [
        pytest.param(
            "postgres://ana@host:5432/shop", "postgres://ana@host:5432/shop", "shop", id="a user is no secret"
        ),
        pytest.param("postgres://host/shop?passfile=x&sslkey=y", None, "shop", id="nor is the name of a file"),
        pytest.param("bigquery://project/dataset", None, "dataset", id="bigquery"),
        pytest.param("spark://", None, "segment_tables", id="spark"),
        pytest.param("warehouse.duckdb", "duckdb://{folder}/warehouse.duckdb", "warehouse", id="a file of DuckDB"),
        pytest.param("duckdb://in/it.duckdb", "duckdb://{folder}/in/it.duckdb", "it", id="the same, said in full"),
        pytest.param("duckdb:///data/it.duckdb", "duckdb:///data/it.duckdb", "it", id="from the root"),
    ],
)
def test_tables_lie_behind_a_url(tmp_path, url, kept, name):
    [source] = settings_of(tmp_path, TABLES.replace("postgres://host/db", url)).sources
    assert (source.path, source.url) == (None, (kept or url).format(folder=tmp_path))
    assert (source.name, source.schemas, source.options) == (name, (), {})


def test_a_source_of_tables_may_have_several_schemas(tmp_path):
    [one] = settings_of(tmp_path, TABLES + 'schema = "web"\n').sources
    assert (one.schemas, one.name) == (("web",), "web")
    [two] = settings_of(tmp_path, TABLES + 'schema = ["web", "server", "web"]\nname = "shop"\n').sources
    assert (two.schemas, two.name) == (("web", "server"), "shop")
    [spend] = settings_of(
        tmp_path, SPEND + 'url = "spark://"\nschema = ["facebook_ads"]\nplatform = "facebook"\n'
    ).sources
    assert (spend.url, spend.schemas, spend.options) == ("spark://", ("facebook_ads",), {"platform": "facebook"})


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
