"""Each public function has type hints on everything and a docstring that numpydoc and doctest accept."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import os
import warnings
from pathlib import Path

import pytest
from numpydoc.validate import validate

os.environ.setdefault("MPLBACKEND", "Agg")  # examples of figures need no screen
ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "journeylib"
# GL08 no docstring; SS summary absent, without capital, with leading spaces; PR parameters not those of
# the signature, without text; RT returns absent or without text; YD yields absent.
ERRORS = {"GL08", "SS01", "SS02", "SS04", "PR01", "PR02", "PR07", "RT01", "RT03", "YD01"}
# A plain record says what it is; its fields have names and types, and an Attributes section where that is
# not enough. An estimator documents its parameters as scikit-learn's do.
ERRORS_OF_A_RECORD = {"GL08", "SS01", "SS02", "SS04", "PR02"}
DOCTEST = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Rooms whose functions take tables alone: an example fits in four lines, and each name that the room shows
# has one.
NEED_EXAMPLE = {"evidence", "journey", "voice", "personas", "value"}


def find_modules() -> list[str]:
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if not name.endswith("__main__")]


def read_all(module: str) -> list[str]:
    """Return a module's `__all__` from its source, so that collecting the tests imports nothing."""
    base = ROOT.joinpath(*module.split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            try:
                return list(ast.literal_eval(node.value))
            except ValueError:
                return list(importlib.import_module(module).__all__)
    return []


PUBLIC = [f"{module}:{name}" for module in find_modules() for name in read_all(module)]


def load(public: str) -> object:
    module, name = public.split(":")
    return getattr(importlib.import_module(module), name)


def functions_of(value: object) -> list:
    """Return the function itself, or a class's own public methods and constructor."""
    if inspect.isclass(value):
        own = [f for name, f in vars(value).items() if name == "__init__" or not name.startswith("_")]
        return [f for f in own if inspect.isfunction(f) and f.__module__ == value.__module__]
    return [value] if inspect.isfunction(value) else []


@pytest.mark.parametrize("module", find_modules())
def test_module_has_a_docstring_and_its_public_names_exist(module):
    loaded = importlib.import_module(module)
    assert inspect.getdoc(loaded), f"{module} does not say what it is for"
    missing = [name for name in getattr(loaded, "__all__", []) if not hasattr(loaded, name)]
    assert not missing, f"{module}.__all__ names what is not there: {missing}"


@pytest.mark.parametrize("public", PUBLIC)
def test_public_function_has_type_hints_on_parameters_and_return(public):
    bare = []
    for function in functions_of(load(public)):
        signature = inspect.signature(function)
        bare += [
            f"{function.__qualname__}({parameter.name})"
            for parameter in signature.parameters.values()
            if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
        ]
        if signature.return_annotation is signature.empty and function.__name__ != "__init__":
            bare.append(f"{function.__qualname__} -> ?")
    assert not bare, f"without type hint: {bare}"


def find_docstring_errors(public: str) -> list[str]:
    value = load(public)
    if not getattr(value, "__module__", "").startswith("journeylib"):
        return []  # a constant, or another package's type under a name of ours
    is_record = inspect.isclass(value) and not hasattr(value, "fit")
    wanted = ERRORS_OF_A_RECORD if is_record else ERRORS
    parts = public.split(":")[0].split(".")
    if len(parts) == 2 and parts[1] in NEED_EXAMPLE:
        wanted = wanted | {"EX01"}
    names = {value.__qualname__: wanted}
    if inspect.isclass(value):
        methods = [f.__qualname__ for f in functions_of(value) if not f.__name__.startswith("_")]
        names |= dict.fromkeys(methods, ERRORS_OF_A_RECORD)
    return [
        f"{value.__module__}.{name}: {code} {text}"
        for name, wanted in names.items()
        for code, text in validate(f"{value.__module__}.{name}")["errors"]
        if code in wanted
    ]


@pytest.mark.parametrize("public", PUBLIC)
def test_public_docstring_passes_numpydoc(public):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert find_docstring_errors(public) == []


@pytest.mark.parametrize("module", find_modules())
def test_docstring_examples_give_the_results_they_show(module):
    tests = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
    runner, report = doctest.DocTestRunner(optionflags=DOCTEST, verbose=False), []
    for test in tests:
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


def test_no_list_of_public_names_is_longer_than_a_newcomer_can_read():
    rooms = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    shown = {room: len(read_all(f"journeylib.{room}")) for room in rooms}
    assert len(read_all("journeylib")) <= 25
    assert {room: n for room, n in shown.items() if n > 18} == {}, "a room shows about 12 names"


def test_no_public_function_is_listed_twice_in_one_module():
    assert len(PUBLIC) == len(set(PUBLIC))
