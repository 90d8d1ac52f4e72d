"""Parameters of a report: held against each notebook's own parameters cell before anything runs."""

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecomkit.errors import UsageError, did_you_mean, quoted

# The report gives these itself: SHOP and --week.
GIVEN = ("shop_name", "week")

_SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|(^|_)pwd($|_)|(^|_)key$|(api|access|private|write)_?key", re.I
)
_URL_WITH_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
# Words of the filters whose column is called otherwise.
_COLUMNS = {"device": "device_type"}
_KINDS = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


def parse_arguments(arguments: Sequence[str]) -> dict[str, str]:
    """Return the names and texts of `NAME=VALUE` arguments."""
    wrong = [argument for argument in arguments if not re.match(r"[^=]+=", argument)]
    if wrong:
        raise UsageError(f"A parameter is written NAME=VALUE, as in 'within_days=60'. Found {quoted(wrong)}.")
    return dict(argument.split("=", 1) for argument in arguments)


def check(parameters: Mapping[str, Any], notebooks: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Return the values that each notebook gets, by the notebook's name.

    A notebook gets the parameters that its own cell declares. Text for a
    parameter of another type is read as a Python literal.

    Raises
    ------
    UsageError
        If a name is in no notebook, a value is of another type than declared,
        or either holds a secret; all offenders in one message.
    """
    declared = {path.stem: _declared(path) for path in notebooks} if parameters else {}
    known = sorted({name for kinds in declared.values() for name in kinds} - set(GIVEN))
    values: dict[str, dict[str, Any]] = {path.stem: {} for path in notebooks}
    problems = []
    for name, value in parameters.items():
        problem = _refusal(name, value)
        takers = {notebook: kinds[name] for notebook, kinds in declared.items() if name in kinds}
        if problem is None and not takers:
            problem = f"'{name}' is a parameter of no notebook.{did_you_mean(name, known)}"
        if problem is not None:
            problems.append(problem)
            continue
        for notebook, kinds in takers.items():
            read = _read(value, kinds)
            if _fits(read, kinds):
                values[notebook][name] = read
            else:
                problems.append(f"'{name}' is of type {' or '.join(kinds)} in '{notebook}', not {value!r}.")
    if problems:
        takes = f"The notebooks take {quoted(known)}." if known else "The notebooks take no parameters."
        raise UsageError(f"{' '.join(problems)} {takes}")
    return values


def of_one_notebook(parameters: Mapping[str, Any], notebook: Path) -> dict[str, Any]:
    """Return parameters by the names that the notebook itself has: `by` is its own breakdown, whatever that is called.

    A breakdown may be asked in the words of the filters: `device` is the column `device_type`.
    """
    breakdowns = [name for name in _declared(notebook) if name == "by" or name.endswith("_by")]
    own = {"by": breakdowns[0]} if len(breakdowns) == 1 else {}
    named = {own.get(name, name): value for name, value in parameters.items()}
    return {name: _COLUMNS.get(value, value) if name in breakdowns else value for name, value in named.items()}


def defaults(notebook: Path) -> dict[str, Any]:
    """Return the parameters that a notebook's own cell declares, with their values there."""
    tree = ast.parse(_parameters_cell(notebook))
    lines = [line for line in tree.body if isinstance(line, ast.AnnAssign | ast.Assign)]
    named = [(line.target if isinstance(line, ast.AnnAssign) else line.targets[0], line.value) for line in lines]
    return {target.id: ast.literal_eval(value) for target, value in named}


def _refusal(name: str, value: Any) -> str | None:
    if name in GIVEN:
        return f"'{name}' is not given as a parameter: name the shop first and the week with --week."
    if _SECRET.search(name):
        return f"'{name}' looks like a secret, and a notebook stores its parameters: give secrets by the environment."
    if isinstance(value, str) and _URL_WITH_PASSWORD.search(value):
        return f"'{name}' holds a URL with a password, and a notebook stores its parameters: leave the password out."
    return None


def _declared(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the types that each parameter of a notebook may have.

    papermill's own reading of the cell passes over `name: str | None = None`.
    """
    kinds = {}
    for line in ast.parse(_parameters_cell(path)).body:
        if isinstance(line, ast.AnnAssign):
            kinds[line.target.id] = _annotated(line.annotation)
        elif isinstance(line, ast.Assign):
            default = ast.literal_eval(line.value)
            kinds[line.targets[0].id] = ("None",) if default is None else (type(default).__name__,)
    return kinds


def _parameters_cell(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return next(("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])), "")


def _annotated(annotation: ast.expr) -> tuple[str, ...]:
    """Read `int | None` as two types, and `list[str]` as a list."""
    return tuple(part.split("[")[0].strip() for part in ast.unparse(annotation).split("|"))


def _read(value: Any, kinds: Sequence[str]) -> Any:
    if not isinstance(value, str) or "str" in kinds:
        return None if value == "None" and "None" in kinds else value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _fits(value: Any, kinds: Sequence[str]) -> bool:
    if value is None:
        return "None" in kinds
    if isinstance(value, bool):
        return "bool" in kinds
    if isinstance(value, float) and not math.isfinite(value):
        return False  # papermill would write it as invalid JSON
    if isinstance(value, int) and "float" in kinds:
        return True
    return any(isinstance(value, _KINDS[kind]) for kind in kinds if kind in _KINDS)
