"""The walls of the house: imports fall, nothing goes in a circle, each guest has one door."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
#: Floors from the top; a package may import those under it.
FLOORS = ("app", "probes", "surveys", "experience", "analysis")
#: Rooms of `experience`, low to high. Loose files and web stand on top, in this order.
ROOMS = (
    "ground", "audit", "measures", "organisation", "customers", "touchpoints", "notices", "readers", "voices",
    "learning", "discovery", "issues", "orders", "trials", "releases", "guidance", "reports", "defaults", "setup",
    "jobs", "demo", "web", "cli",
)  # fmt: skip
#: Inside a room: rules <- tables <- queries <- operations <- jobs, web, cli. Any other file is a rule.
LAYERS = {
    "tables": 1, "queries": 2, "directory": 2, "operations": 3, "verification": 4, "importers": 4, "jobs": 4,
    "demo": 4, "web": 5, "cli": 6,
}  # fmt: skip
#: The ground is what rooms stand on, the demo fills them: neither is a room with layers of its own.
NO_LAYERS = ("experience.ground", "experience.demo", "experience.web", "experience.cli")
#: guest -> the one file (or the kinds of place) where it may be received.
GUESTS = {
    "jieba": ("analysis/segment.py",),
    "rjieba": ("analysis/segment.py",),
    "snownlp": ("analysis/legacy.py",),
    "apscheduler": ("experience/ground/scheduler.py",),
}
WEB_GUESTS = ("flask", "flask_babel", "flask_wtf", "flask_bootstrap", "werkzeug")
#: What a pure package may not even see.
ANALYSIS_IS_PURE = ("sqlmodel", "sqlalchemy", "flask", "experience", "surveys", "probes", "click")


def modules() -> list[Path]:
    found = [HOUSE / "app.py"]
    for package in FLOORS[1:]:
        found += sorted((HOUSE / package).rglob("*.py"))
    return [file for file in found if "versions" not in file.parts]


@cache
def imports_of(file: Path) -> tuple[str, ...]:
    """Every module a file imports, lazy imports included, as dotted names (with imported names appended)."""
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively; the house writes whole names"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def dotted(file: Path) -> str:
    parts = file.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def known() -> frozenset[str]:
    return frozenset(dotted(file) for file in modules())


def target(name: str) -> str | None:
    """The house's own module behind an imported name, or None for a guest."""
    while name:
        if name in known():
            return name
        name = name.rpartition(".")[0]
    return None


def edges() -> Iterator[tuple[str, str]]:
    for file in modules():
        here = dotted(file)
        for name in imports_of(file):
            there = target(name)
            if there and there != here:
                yield here, there


def test_imports_fall_from_floor_to_floor() -> None:
    climbing = [
        f"{here} -> {there}"
        for here, there in edges()
        if FLOORS.index(there.split(".")[0]) < FLOORS.index(here.split(".")[0])
    ]
    assert climbing == []


def room(name: str) -> int | None:
    parts = name.split(".")
    return ROOMS.index(parts[1]) if parts[0] == "experience" and len(parts) > 1 else None


def test_every_room_of_experience_is_on_the_plan() -> None:
    unknown = {name.split(".")[1] for name in known() if name.startswith("experience.")} - set(ROOMS)
    assert unknown == set()


def test_a_room_of_experience_imports_only_lower_rooms() -> None:
    climbing = []
    for here, there in edges():
        mine, theirs = room(here), room(there)
        if mine is not None and theirs is not None and theirs > mine:
            climbing.append(f"{here} -> {there}")
    assert climbing == []


def home(name: str) -> str:
    """The room a module lies in: `experience.orders`, `surveys`, `probes`."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "experience" else parts[0]


def layer(name: str) -> int:
    rest = name.removeprefix(home(name)).strip(".").split(".")
    return LAYERS.get(rest[0], 0)


def test_inside_a_room_imports_fall_from_doors_to_rules() -> None:
    climbing = [
        f"{here} -> {there}"
        for here, there in edges()
        if home(here) == home(there) not in NO_LAYERS and layer(there) > layer(here)
    ]
    assert climbing == []


def test_no_module_is_in_an_import_circle() -> None:
    graph: dict[str, set[str]] = {}
    for here, there in edges():
        graph.setdefault(here, set()).add(there)
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name in done:
            return
        for below in sorted(graph.get(name, ())):
            visit(below, (*path, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize(("guest", "doors"), GUESTS.items())
def test_one_guest_has_one_door(guest: str, doors: tuple[str, ...]) -> None:
    received = {
        str(file.relative_to(HOUSE)) for file in modules() for name in imports_of(file) if name.split(".")[0] == guest
    }
    assert received <= set(doors)


def test_flask_stays_at_the_web_doors() -> None:
    strangers = [
        f"{dotted(file)} imports {name}"
        for file in modules()
        for name in imports_of(file)
        if name.split(".")[0] in WEB_GUESTS and not ({"web", "cli", "app"} & set(dotted(file).split(".")))
    ]
    assert strangers == []


def test_analysis_is_pure() -> None:
    impure = [
        f"{dotted(file)} imports {name}"
        for file in modules()
        if dotted(file).startswith("analysis")
        for name in imports_of(file)
        if name.split(".")[0] in ANALYSIS_IS_PURE
    ]
    assert impure == []


def test_rules_and_operations_never_read_the_clock() -> None:
    doors = {"web", "jobs", "cli", "app", "demo"}
    readers = [
        dotted(file)
        for file in modules()
        if not doors & set(dotted(file).split(".")) and dotted(file) != "experience.ground.clock"
        for name in imports_of(file)
        if name.startswith("experience.ground.clock")
    ]
    assert readers == []
