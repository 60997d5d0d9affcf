"""A room imports only from rooms before it; figures from none but evidence; modules form no circle."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "journeylib"
ROOMS = ["evidence", "data", "journey", "voice", "personas", "value", "figures", "review"]
MAY_IMPORT = {room: set(ROOMS[: i + 1]) for i, room in enumerate(ROOMS)} | {
    "figures": {"evidence", "figures"}
}
# The analysis rooms take tables and give tables: they know nothing of projects, papermill or pages.
ANALYSIS = ["evidence", "journey", "voice", "personas", "value", "figures"]
ONLY_IN_REVIEW = {"papermill", "nbconvert", "nbformat", "nbclient", "jupyter_client", "jinja2", "jupyterlab"}
NO_ROOM = {"__init__", "__main__", "cli"}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def find_modules(package: Path) -> dict[str, Path]:
    return {name_of(path): path for path in sorted(package.rglob("*.py"))}


MODULES = find_modules(PACKAGE)


def room_of(module: str) -> str:
    """Return the room of a module, `""` for one at the top of the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else ""


def resolve_from(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".") if is_package else module.split(".")[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def read_imports(module: str, source: str, *, is_package: bool, known: dict) -> list[tuple[int, str]]:
    """Return (line, module) of each import, also those inside functions and under TYPE_CHECKING."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_from(node, module, is_package=is_package)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.append((node.lineno, inner if inner in known else base))
    return found


def imports_of(module: str) -> list[tuple[int, str]]:
    path = MODULES[module]
    text = path.read_text(encoding="utf-8")
    return read_imports(module, text, is_package=path.name == "__init__.py", known=MODULES)


def find_circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of one circle in the graph, in order, or an empty list."""
    done: set[str] = set()

    def walk(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return []
        for target in sorted(graph.get(module, ())):
            if circle := walk(target, [*trail, module]):
                return circle
        done.add(module)
        return []

    for module in sorted(graph):
        if circle := walk(module, []):
            return circle
    return []


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_from_the_rooms_it_may(room):
    wrong = []
    for module in MODULES:
        if room_of(module) != room:
            continue
        for line, target in imports_of(module):
            if target.split(".")[0] == "journeylib" and room_of(target) not in MAY_IMPORT[room]:
                wrong.append(f"{MODULES[module].relative_to(ROOT)}:{line} imports {target}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "review"])
def test_only_the_review_room_knows_notebooks_and_pages(room):
    wrong = [
        f"{MODULES[module].relative_to(ROOT)}:{line} imports {target}"
        for module in MODULES
        if room_of(module) == room
        for line, target in imports_of(module)
        if target.split(".")[0] in ONLY_IN_REVIEW
    ]
    assert not wrong, "\n".join(wrong)


def test_analysis_rooms_know_nothing_of_projects():
    wrong = [
        f"{MODULES[module].relative_to(ROOT)}:{line} imports {target}"
        for module in MODULES
        if room_of(module) in ANALYSIS
        for line, target in imports_of(module)
        if target.startswith("journeylib.data.project")
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_stands_in_a_room():
    lost = [
        str(path.relative_to(ROOT))
        for module, path in MODULES.items()
        if not room_of(module) and path.stem not in NO_ROOM and module != "journeylib"
    ]
    assert not lost, f"neither in a room nor one of {sorted(NO_ROOM)}: {lost}"


def test_modules_form_no_circle():
    graph = {m: {t for _, t in imports_of(m) if t in MODULES and t != m} for m in MODULES}
    circle = find_circle(graph)
    assert not circle, " -> ".join(circle)


def test_analysis_rooms_do_not_print():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for module, path in MODULES.items()
        if room_of(module)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong, f"a room logs, it does not print: {wrong}"


# The guard is guarded: planted faults are found.


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from journeylib.review import page", "journeylib.review"),
        ("from ..review import page", "journeylib.review"),
        ("from . import funnels", "journeylib.journey.funnels"),
        ("import journeylib.review.page", "journeylib.review.page"),
        ("def f():\n    from journeylib.review.page import render_page", "journeylib.review.page"),
    ],
)
def test_imports_are_read_in_every_spelling(line, expected):
    known = {"journeylib.review": None, "journeylib.journey.funnels": None}
    found = read_imports("journeylib.journey.sessions", line, is_package=False, known=known)
    assert [target for _, target in found] == [expected]


def test_relative_import_in_a_room_s_init_is_read_from_the_room():
    found = read_imports(
        "journeylib.journey", "from .sessions import split_into_sessions", is_package=True, known={}
    )
    assert [target for _, target in found] == ["journeylib.journey.sessions"]


def test_a_circle_over_three_modules_is_found():
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert find_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
