"""The shape that every notebook keeps, read off its JSON: no kernel needed."""

import ast
import json
import re
from pathlib import Path

import pytest
from papermill import inspect_notebook

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
# Folders of the machine that ran it; a drive letter; a home.
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|usr|var|opt|mnt|work|Users|private)/|[A-Z]:\\\\|~/")
# What can only come from data: a share, an amount, a number with thousands apart.
MEASURED = re.compile(r"\d\s?%|[$€£]\s?\d|\b(?:EUR|USD|GBP)\s?\d|\b\d{1,3}(?:,\d{3})+\b")
LEVEL = re.compile(r"\b95\s?%")
IMPORTED = {"datetime", "ecomkit", "ibis", "math"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def cells(notebook, kind):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def lines(cell):
    return [line for line in source(cell).splitlines() if line.strip()]


def is_parameters(cell):
    return "parameters" in cell["metadata"].get("tags", [])


def is_import(cell):
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(source(cell)).body)


def outputs(notebook):
    return [output for cell in cells(notebook, "code") for output in cell["outputs"]]


def sections(notebook):
    """Return the cells of each `##` section, by its heading."""
    found, heading = {}, None
    for cell in notebook["cells"]:
        match = re.match(r"## (.+)", source(cell)) if cell["cell_type"] == "markdown" else None
        heading = match[1].strip() if match else heading
        if heading:
            found.setdefault(heading, []).append(cell)
    return found


def questions(notebook):
    return {heading: held for heading, held in sections(notebook).items() if heading.endswith("?")}


def text_of(output):
    return "".join(output.get("data", {}).get("text/plain", ""))


def test_the_five_notebooks_of_the_foundation_are_here():
    names = {path.stem for path in NOTEBOOKS}
    assert {"01_overview", "02_funnel", "04_cohort_repurchase", "05_clv", "06_cac_by_channel"} <= names


def test_names_hold_number_and_subject():
    assert [path.stem for path in NOTEBOOKS if not re.fullmatch(r"\d\d_[a-z]+(_[a-z]+)*", path.stem)] == []


def test_the_first_cell_asks_the_question_in_one_heading(notebook):
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    assert re.match(r"# .+\?$", source(first).splitlines()[0])
    assert len(re.findall(r"^#", source(first), re.MULTILINE)) == 1
    assert len(source(first).split()) <= 80


def test_exactly_one_cell_holds_the_parameters_and_only_literals_with_help(notebook):
    [cell] = [cell for cell in notebook["cells"] if is_parameters(cell)]
    assert cell == notebook["cells"][1]
    assert len(lines(cell)) <= 8
    for node in ast.parse(source(cell)).body:
        assert isinstance(node, ast.AnnAssign)
        ast.literal_eval(node.value)
    assert all(re.search(r"  # \w", line) for line in lines(cell))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_papermill_knows_shop_and_week_and_the_help_of_each_parameter(path):
    known = inspect_notebook(path)
    assert list(known)[:2] == ["shop_name", "week"]
    assert known["filters"]["default"] == "{}"
    assert (known["shop_name"]["default"], known["week"]["default"]) == ('"shop"', '"last"')
    assert [name for name, parameter in known.items() if not parameter["help"]] == []
    assert [name for name, parameter in known.items() if parameter["inferred_type_name"] == "None"] == []


def test_imports_come_third_and_nowhere_else_and_end_in_the_style(notebook):
    assert [cell for cell in cells(notebook, "code") if is_import(cell)] == [notebook["cells"][2]]
    assert len(lines(notebook["cells"][2])) <= 12
    assert lines(notebook["cells"][2])[-1] == "use_style()"


def test_a_notebook_imports_the_kit_and_its_tables_and_nothing_that_reads_or_fits_by_itself(notebook):
    tree = ast.parse(source(notebook["cells"][2]))
    modules = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    assert {module.split(".")[0] for module in modules} <= IMPORTED
    forbidden = ("ecomkit.sources", "ecomkit.pipeline", "ecomkit.report", "ecomkit.cli", "ecomkit.simulate")
    assert [module for module in modules if module.startswith(forbidden)] == []


def test_the_shop_is_opened_fourth_with_its_filters_in_every_caption(notebook):
    opened, captioned = lines(notebook["cells"][3])[:2]
    assert opened in (
        "shop = open_shop(shop_name, filters=filters)",
        'shop = open_shop(shop_name, filters=filters, select="customers")',
    )
    assert captioned.removeprefix("plots.") == "caption(shop.filters)"


def test_what_is_in_the_data_comes_before_the_questions(notebook):
    headings = list(sections(notebook))
    assert headings[0] == "What is in the data"
    assert "what_is_in(" in source(sections(notebook)["What is in the data"][1])
    assert headings[-1] == "What to do with this"
    assert all(heading.endswith("?") for heading in headings[1:-1])


def test_at_most_eight_questions_and_sixty_cells(notebook):
    assert 1 <= len(questions(notebook)) <= 8
    assert len(notebook["cells"]) <= 60


def test_cells_are_short(notebook):
    long = [source(cell) for cell in cells(notebook, "code") if not is_import(cell) and len(lines(cell)) > 8]
    assert long == []


def test_cells_hold_no_program(notebook):
    for cell in cells(notebook, "code"):
        found = [type(node).__name__ for node in ast.walk(ast.parse(source(cell)))]
        assert not {"FunctionDef", "ClassDef", "For", "While", "Try", "Lambda"} & set(found), source(cell)
        names = {node.id for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Name)}
        assert "print" not in names, source(cell)
        assert not [line for line in lines(cell) if line.startswith(("!", "%")) or line.rstrip().endswith(";")]


def test_at_most_three_code_cells_in_a_row_within_a_section(notebook):
    kinds = "".join("c" if cell["cell_type"] == "code" else "t" for cell in notebook["cells"])
    assert "cccc" not in kinds


def test_each_question_has_its_definition_its_answer_and_its_caveat(notebook):
    for heading, held in questions(notebook).items():
        assert len(source(held[0]).split("\n", 1)[1].split()) <= 60, heading
        assert "say(" in source(held[1]), heading
        assert source(held[-1]).startswith("**Caveat.**"), heading
        assert len(source(held[-1]).split()) <= 50, heading


def test_a_picture_takes_three_lines_and_a_table_one(notebook):
    for cell in cells(notebook, "code"):
        if source(cell).startswith("ax = "):
            assert len(lines(cell)) <= 3, source(cell)
            assert "title=" in source(cell), source(cell)
        if any("text/html" in output.get("data", {}) for output in cell["outputs"]):
            assert len(lines(cell)) == 1, source(cell)


def test_the_last_section_says_the_answers_again_and_hands_headlines_over(notebook):
    last = sections(notebook)["What to do with this"]
    assert [cell["cell_type"] for cell in last[1:]] == ["code", "code"]
    assert "say(" in source(last[1])
    assert "hand_over(" in source(last[2])
    assert all(len(lines(cell)) <= 6 for cell in last[1:])


def test_every_code_cell_ran_once_in_order(notebook):
    counts = [cell["execution_count"] for cell in cells(notebook, "code")]
    assert counts == list(range(1, len(counts) + 1))


def test_no_cell_failed_or_wrote_to_the_error_stream(notebook):
    assert [output for output in outputs(notebook) if output["output_type"] in ("error", "stream")] == []


def test_tables_have_at_most_twelve_rows(notebook):
    for output in outputs(notebook):
        html = "".join(output.get("data", {}).get("text/html", ""))
        assert len(re.findall("<tr", html)) <= 13


def test_no_path_of_a_machine_is_stored(notebook):
    for cell in notebook["cells"]:
        assert not ABSOLUTE_PATH.search(source(cell)), source(cell)
        for output in cell.get("outputs", []):
            words = json.dumps({kind: value for kind, value in output.get("data", {}).items() if "image" not in kind})
            assert not ABSOLUTE_PATH.search(words)


def test_every_picture_is_told_in_words_and_every_table_brings_its_numbers(notebook):
    told = [
        output["metadata"].get(kind, {}).get(what, "")
        for output in outputs(notebook)
        for kind, what in (("image/png", "alt"), ("text/html", "csv"))
        if kind in output.get("data", {})
    ]
    assert told
    assert min(map(len, told)) > 20


def test_no_measured_number_is_typed_into_text(notebook):
    typed = {
        source(cell): found
        for cell in cells(notebook, "markdown")
        if (found := MEASURED.findall(LEVEL.sub("", source(cell))))
    }
    assert typed == {}


def test_nothing_of_the_run_is_stored(notebook):
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert [cell["metadata"] for cell in notebook["cells"] if set(cell["metadata"]) - {"tags"}] == []


def test_sentences_know_every_number_they_print(notebook):
    said = [text_of(output) for output in outputs(notebook) if "text/markdown" in output.get("data", {})]
    assert said
    assert [sentence for sentence in said if re.search(r"\bnan\b|\bNone\b|\bunknown\b", sentence)] == []


@pytest.mark.parametrize(
    ("text", "is_measured"),
    [
        pytest.param("31.8 % came back", True, id="percent"),
        pytest.param("it cost EUR 12", True, id="currency"),
        pytest.param("$5 each", True, id="sign"),
        pytest.param("of 1,234 customers", True, id="thousands"),
        pytest.param("its 95 % interval, within 90 days, by 2 models", False, id="constants"),
    ],
)
def test_the_pattern_for_measured_numbers(text, is_measured):
    assert bool(MEASURED.search(LEVEL.sub("", text))) == is_measured
