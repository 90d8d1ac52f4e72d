"""`ecomkit check`: the accounts add up, reasons have examples, the threshold is judged as the report judges it."""

import gzip
import json
import sys
from types import SimpleNamespace

import pytest

from ecomkit import cli
from ecomkit.check import Verdict, place, verdict
from ecomkit.shop import open_shop
from tests.calls import identify, order, page, server, track
from tests.conftest import TOML

BOT = {"context": {"userAgent": "Googlebot/2.1"}}
COUNTS = ("rows_in", "rows_kept", "duplicates", "rows_excluded", "rows_quarantined", "rows_corrected")


@pytest.fixture
def check(monkeypatch, capsys):
    """Run `ecomkit check` in this process; return exit status, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ecomkit", "check", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return left.value.code or 0, told.out, told.err

    return run


def one_of_each():
    first = page()
    return [
        first,
        first,
        page(device="crawler") | BOT,
        track("Completed Order", user="u1", **order("o1") | {"revenue": "10.00"}),
        server("Order Completed", user="u1", **order("o1")),
        page() | {"type": "group"},
        "",
        '{not json of ada@example.com [red]bold[/red] \x1b[31m {"phone": "+49 170 1234567"}',
        *(page(device=f"d{number}") for number in range(20)),
    ]


def row_of(table: str, first: str) -> list[str]:
    """The cells after `first` of the first line of a printed table that begins with it."""
    lines = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in table.splitlines() if "│" in line]
    return next(cells[1:] for cells in lines if cells[0] == first)


def test_the_accounts_the_reasons_an_example_and_the_verdict_are_told(check, make_shop):
    status, out, err = check(make_shop(*one_of_each()))
    assert (status, err) == (0, "")
    assert {name: row_of(out, name) for name in ("rows in", "kept", "corrected", "duplicates", "excluded")} == {
        "rows in": ["27"],
        "kept": ["23"],
        "corrected": ["1"],
        "duplicates": ["1"],
        "excluded": ["2"],
    }
    reasons = out[out.index("outcome") :]
    assert row_of(reasons, "excluded") == ["bot", "1"]
    assert row_of(reasons, "quarantined") == ["not JSON", "1"]
    assert out[out.index("not JSON, first at") :].splitlines() == [
        "not JSON, first at calls.ndjson:8",
        '    {not json of [address] [red]bold[/red] [31m {"phone": "***"}',
        "1 order came in 2 calls and rows. With an order id seen before: 1; the first to arrive counts.",
        "Money is read by the rules: after_discount for 1 order.",
        "3.7 % of the rows could not be used, within the 5.0 % that 'max_quarantined_share' in [limits] allows.",
    ]


def test_json_is_one_object_with_the_same_numbers(check, make_shop):
    status, out, err = check(make_shop(*one_of_each()), "--json")
    told = json.loads(out)
    assert (status, err) == (0, "")
    assert {name: told[name] for name in COUNTS} == {
        "rows_in": 27,
        "rows_kept": 23,
        "duplicates": 1,
        "rows_excluded": 2,
        "rows_quarantined": 1,
        "rows_corrected": 1,
    }
    read = [row for row in told["reasons"] if row["step"] == "read calls"]
    assert {(row["outcome"], row["reason"]): row["rows"] for row in read} == {
        ("corrected", "event name in an older spelling"): 1,
        ("corrected", "money sent as text"): 1,
        ("duplicate", "message id seen before"): 1,
        ("excluded", "bot"): 1,
        ("excluded", "call type not used: group"): 1,
        ("quarantined", "not JSON"): 1,
    }
    [quarantined] = [row for row in told["reasons"] if row["outcome"] == "quarantined"]
    assert quarantined == {
        "step": "read calls",
        "outcome": "quarantined",
        "reason": "not JSON",
        "rows": 1,
        "amount": None,
        "example": {
            "source_file": "calls.ndjson",
            "line_number": 8,
            "raw": '{not json of [address] [red]bold[/red] [31m {"phone": "***"}',
        },
    }
    assert (told["ok"], told["bare"], told["limit"], told["quarantined_share"]) == (True, False, 0.05, 1 / 27)
    assert told["steps"] == [{"step": "read calls"} | {name: told[name] for name in COUNTS}]
    assert told["orders"] == {
        "told": 2,
        "duplicates": 1,
        "orders": 1,
        "money_rules": [{"money_rule": "after_discount", "orders": 1}],
    }


@pytest.mark.parametrize("fixture", ["shop", "tiny"])
def test_rows_in_are_kept_or_set_aside_in_every_step_and_together(check, fixture):
    told = json.loads(check(fixture, "--json")[1])
    assert told["rows_in"] > 0
    for counts in [told, *told["steps"]]:
        set_aside = counts["duplicates"] + counts["rows_excluded"] + counts["rows_quarantined"]
        assert counts["rows_in"] == counts["rows_kept"] + set_aside
    for name in COUNTS:
        assert told[name] == sum(step[name] for step in told["steps"])
    assert sum(row["rows"] for row in told["reasons"] if row["outcome"] == "quarantined") == told["rows_quarantined"]


def test_money_set_aside_is_told_with_its_currency(check, make_shop):
    toml = TOML + '[[source]]\nkind = "ad_spend"\nplatform = "facebook"\nchannel = "Paid Social"\npath = "ads.csv"\n'
    spend = "date,campaign_id,campaign_name,spend\n2026-10-01,c1,Autumn,5.00\nyesterday,c1,Autumn,7.50\n"
    folder = make_shop(page(), toml=toml, files={"ads.csv": spend})
    status, out, _ = check(folder)
    assert status == 1
    assert "EUR 7.50" in out
    assert row_of(out, "rows in") == ["1", "2", "3"]
    told = json.loads(check(folder, "--json")[1])
    assert [row["amount"] for row in told["reasons"]] == [7.5]
    assert [step["step"] for step in told["steps"]] == ["read calls", "read ad spend"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "good", "status", "share"),
    [(1, 20, 0, "4.8 %"), (1, 19, 0, "5.0 %"), (1, 18, 1, "5.3 %"), (0, 1, 0, "0.0 %"), (1, 0, 1, "100.0 %")],
    ids=["below", "at the limit", "above", "none", "all"],
)
def test_the_exit_status_is_1_above_the_limit_and_0_at_it(check, make_shop, bad, good, status, share):
    folder = make_shop(*["not json"] * bad, *(page(device=f"d{number}") for number in range(good)))
    assert check(folder)[0] == status
    found, out, _ = check(folder, "--json")
    assert (found, json.loads(out)["ok"]) == (status, status == 0)
    assert check(folder)[1].splitlines()[-1].startswith(f"{share} of the rows could not be used, ")


def judged(quarantined, rows, limit=0.05):
    counts = dict.fromkeys(COUNTS, 0) | {"rows_in": rows, "rows_quarantined": quarantined}
    reason = {"step": "read calls", "outcome": "quarantined", "reason": "not JSON", "rows": quarantined}
    return Verdict(({"step": "read calls"} | counts,), (reason,), limit)


def test_a_share_just_above_the_limit_is_not_written_as_the_limit():
    assert judged(5001, 100_000).sentence == (
        "5.001 % of the rows could not be used, more than the 5.000 % that 'max_quarantined_share' in [limits] "
        "allows: 5,001 not JSON."
    )
    assert judged(5000, 100_000).sentence == (
        "5.0 % of the rows could not be used, within the 5.0 % that 'max_quarantined_share' in [limits] allows."
    )


def test_a_shop_without_rows_is_trusted():
    assert (judged(0, 0).ok, judged(0, 0).quarantined_share) == (True, 0)


def test_a_row_of_a_table_lies_in_its_table():
    assert place({"source_file": "segment.tracks", "line_number": None}) == "segment.tracks"
    assert place({"source_file": "a.ndjson", "line_number": 3}) == "a.ndjson:3"


@pytest.mark.slow
def test_the_report_and_the_check_are_one_rule(make_shop, monkeypatch):
    from ecomkit.errors import EcomkitError
    from ecomkit.report import run

    trusted = open_shop(make_shop(page(), name="good"))
    run._refuse_untrusted(trusted)
    broken = open_shop(make_shop(page(), "not json", name="broken"))
    with pytest.raises(EcomkitError) as caught:
        run._refuse_untrusted(broken)
    assert str(caught.value).startswith(verdict(broken).sentence)


class TestBareCalls:
    @pytest.fixture
    def calls(self):
        foreign = order("o2") | {"currency": "USD"}
        return [*one_of_each(), server("Order Completed", user="u2", **foreign), identify("u2", email="u2@example.com")]

    @pytest.mark.parametrize("form", ["file", "gz", "folder", "archive"])
    def test_a_file_or_folder_needs_no_settings_and_nothing_is_written_beside_it(
        self, check, calls, tmp_path, own_store, monkeypatch, form
    ):
        monkeypatch.delenv("ECOMKIT_SALT")
        content = "\n".join(call if isinstance(call, str) else json.dumps(call) for call in calls).encode()
        bare = tmp_path / "data" / "calls"
        places = {
            "file": bare.with_suffix(".json"),
            "gz": bare.with_suffix(".gz"),
            "folder": bare / "a.ndjson",
            "archive": bare / "1790812800000" / "a.gz",
        }
        path = places[form]
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        given = bare if bare.is_dir() else path
        before = sorted(tmp_path.rglob("*"))
        status, out, err = check(given, "--json")
        assert (status, err) == (0, "")
        told = json.loads(out)
        assert (told["bare"], told["shop"]) == (True, given.name)
        assert [told[name] for name in COUNTS] == [29, 25, 1, 2, 1, 1]
        assert told["orders"] == {"told": 3, "duplicates": 1, "orders": 2, "money_rules": []}
        assert sorted(tmp_path.rglob("*")) == before

    def test_the_text_says_that_there_are_no_settings(self, check, tmp_path, own_store):
        path = tmp_path / "calls.json"
        path.write_text(json.dumps(page()))
        status, out, _ = check(path)
        assert status == 0
        assert out.splitlines()[0] == (
            f"'{path}' has no shop.toml: its calls are read with days in UTC and the default rules and limits, "
            "and its orders are not priced. `ecomkit init` writes a shop.toml."
        )

    def test_too_many_bad_lines_are_told_and_exit_1(self, check, tmp_path, own_store):
        path = tmp_path / "calls.json"
        path.write_text("no\nnot\n" + json.dumps(page()))
        status, out, _ = check(path)
        assert status == 1
        assert out.splitlines()[-1] == (
            "66.7 % of the rows could not be used, more than the 5.0 % that 'max_quarantined_share' in [limits] "
            "allows: 2 not JSON."
        )

    def test_a_missing_path_says_what_shop_may_be(self, check, tmp_path, monkeypatch):
        (tmp_path / "examples" / "cdnow").mkdir(parents=True)
        (tmp_path / "examples" / "cdnow" / "shop.toml").touch()
        monkeypatch.setattr("ecomkit.shop.ROOT", tmp_path)
        for more in ([], ["--json"]):
            assert check(tmp_path / "nowhere", *more) == (
                2,
                "",
                f"There is no shop '{tmp_path / 'nowhere'}': no folder of that name holds a shop.toml. "
                "The shops here are 'cdnow'. `check` also takes a file or folder of Segment calls without a "
                "shop.toml.\n",
            )

    def test_a_folder_without_calls_is_a_failure_and_no_object(self, check, tmp_path):
        (tmp_path / "notes.txt").write_text("x")
        status, out, err = check(tmp_path, "--json")
        assert (status, out) == (1, "")
        assert "holds no file of calls; it has 'notes.txt'" in err


def test_no_address_stands_in_either_form(check, make_shop):
    folder = make_shop(
        *['{"type": "identify", "traits": {"email": "ada@example.com"'] * 2,
        identify(None, device=None, email="", note="bob@example.com"),
        server("Order Completed", user="cy@example.com", order_id=None),
    )
    both = check(folder)[1] + check(folder, "--json")[1]
    assert both.count("calls.ndjson:") == 3
    assert "***" in both
    assert "example.com" not in both


def test_steps_are_shown_on_standard_error_as_they_begin(monkeypatch):
    class Status(SimpleNamespace):
        def update(self, text):
            told.append(str(text))

    class Console(SimpleNamespace):
        def __init__(self, **given):
            assert given == {"stderr": True}

        def status(self, text):
            told.append(str(text))
            return Opened()

    class Opened:
        def __enter__(self):
            return Status()

        def __exit__(self, *error):
            pass

    told = []
    monkeypatch.setattr(cli, "Console", Console)
    with cli._building("my [shop]") as progress:
        progress("orders")
    assert told == ["Building my [shop]", "Building my [shop]: orders"]
