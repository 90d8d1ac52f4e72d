"""Every page of a report in a real browser, from disk and without a network.

It needs Chromium (Debian's package `chromium`) and axe-core, whose path stands in ECOMKIT_TEST_AXE;
`.ci/run` installs both. The report is that of a shop whose names are hostile.
"""

import os
import shutil
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ecomkit import shop as shops
from ecomkit.report.run import run_report
from ecomkit.words import short
from tests.hostile_shop import NAMES, SCRIPT, hostile_shop

CHROMIUM = shutil.which("chromium")
AXE = os.environ.get("ECOMKIT_TEST_AXE")
PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The folder of a hostile shop's reports: one week's pages and the list of weeks."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shops, "ROOT", folder)
        patch.setattr(shops, "STORE", folder / "store")
        # Tests draw for nobody; the kernels of a report draw for its pages.
        patch.delenv("MPLBACKEND")
        shop = hostile_shop(folder / "shop")
        published = run_report(str(shop), console=Console(file=StringIO()))
    assert published.failed == ()
    return published.folder.parent


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def opened(browser):
    """Return a function that opens a page without a network; what it asks for and complains of is collected."""
    contexts = []

    def open_page(path: Path, *, size=LAPTOP, scheme="light"):
        context = browser.new_context(viewport=size, color_scheme=scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri(), wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def pages_of(reports: Path) -> list[Path]:
    return sorted(reports.rglob("*.html"))


def test_every_notebook_has_its_page(reports):
    notebooks = {path.stem for path in (Path(__file__).parent.parent / "notebooks").glob("*.ipynb")}
    assert {path.stem for path in pages_of(reports)} == {*notebooks, "index", "metrics"}


def test_pages_ask_for_nothing_complain_of_nothing_and_run_nothing(reports, opened):
    for path in pages_of(reports):
        page = opened(path)
        assert [url for url in page.asked if url != path.as_uri() and not url.startswith("data:image/png")] == []
        assert page.complaints == [], path.name
        assert page.evaluate("document.scripts.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(reports, opened, scheme):
    for path in pages_of(reports):
        page = opened(path, size=PHONE, scheme=scheme)
        for folded in (True, False):
            if not folded and page.locator("#show-code").count():
                page.locator("#show-code").check()
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE["width"], (path.name, folded)


def test_every_link_leads_somewhere(reports, opened):
    named = {}
    for path in pages_of(reports):
        page = opened(path)
        named[path] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)"))
        repeated = page.evaluate("document.querySelectorAll('[id]').length") - len(named[path])
        assert repeated == 0, path.name
    for path in named:
        for link in opened(path).evaluate("[...document.querySelectorAll('a')].map(one => one.getAttribute('href'))"):
            place, _, anchor = link.partition("#")
            target = (path.parent / place).resolve() if place else path
            assert target.is_file(), (path.name, link)
            assert not anchor or anchor in named[target], (path.name, link)


def test_every_question_has_an_anchor_and_every_picture_says_what_it_shows(reports, opened):
    for path in pages_of(reports):
        if path.stem[:2].isdecimal():
            page = opened(path)
            assert page.locator("main > section > h2:not([id]), main > h2:not([id])").count() == 0
            told = page.evaluate("[...document.images].map(one => one.alt)")
            assert told
            told = [text for text in told if text != "No data for this question."]
            assert [text for text in told if len(text) < 40 or text.startswith("Picture for")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [pytest.param(LAPTOP, id="laptop"), pytest.param(PHONE, id="phone")])
@pytest.mark.skipif(AXE is None, reason="ECOMKIT_TEST_AXE names no axe.min.js")
def test_axe_finds_no_serious_fault(reports, opened, scheme, size):
    for path in pages_of(reports):
        page = opened(path, size=size, scheme=scheme)
        if page.locator("#show-code").count():
            page.locator("#show-code").check()
        page.evaluate(Path(AXE).read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document).then(told => told.violations)")
        serious = [
            (one["id"], [node["target"] for node in one["nodes"][:3]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], path.name


def test_hostile_names_appear_as_text(reports, opened):
    shown = "".join(opened(path).evaluate("document.body.textContent") for path in pages_of(reports))
    assert SCRIPT in shown
    assert len([name for name in NAMES if short(name)[:12] in shown]) >= 4
    assert "A" * 200 not in shown


def test_one_switch_unfolds_all_code_and_the_keyboard_reaches_it(reports, opened):
    page = opened(next(path for path in pages_of(reports) if path.stem == "02_funnel"))
    cells = page.locator(".code")
    assert cells.count() > 20
    assert [cells.nth(number).is_visible() for number in range(3)] == [False] * 3
    page.locator("#show-code").focus()
    page.keyboard.press("Space")
    assert page.evaluate("[...document.querySelectorAll('.code')].every(one => one.offsetHeight > 0)")


def test_paper_gets_no_switch_and_all_definitions(reports, opened):
    page = opened(next(path for path in pages_of(reports) if path.stem == "01_overview"), scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".switch").is_visible()
    assert page.locator(".definitions .card").count() > 3
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_cells_of_csv_files_are_no_formulas(reports):
    files = sorted(reports.rglob("*.csv"))
    assert len(files) > 20
    for path in files:
        text = path.read_text(encoding="utf-8-sig")
        assert "=cmd" not in text.replace("'=cmd", "")
