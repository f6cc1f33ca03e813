"""The report as text: tables of medians, and what each side includes."""

from collections.abc import Iterator, Sequence

from . import search, stats
from .goals import goals
from .lineup import LINEUP, Entry
from .results import Result, Results
from .stats import Spread, Value

_COLUMNS: tuple[tuple[str, Value, int], ...] = (
    ("first ACTIVE, s", stats.first_active, 1),
    ("last ACTIVE, s", stats.last_active, 1),
    ("Nova requests", stats.requests("nova"), 0),
    ("Keystone requests", stats.requests("keystone"), 0),
    ("CPU, s", stats.cpu, 1),
    ("memory, MB", stats.memory, 0),
    ("CPU of the cloud, s", stats.cloud_cpu, 1),
    ("taken by others, cores", stats.disturbed, 2),
)


def report(results: Results, pictures: Sequence[str] = ()) -> str:
    """Return the whole report as Markdown; pictures are names of files beside it."""
    parts = ["# The race\n", *_machine(results)]
    for instances in results.sizes():
        parts += [f"\n## {instances} instances on the lost host\n", *_of_size(results, instances)]
        parts += [f"\n![{name}]({name})\n" for name in pictures if f"-{instances}-" in name]
    parts += ["\n## What each side includes\n", *_includes(results), *_search(results)]
    return "\n".join(parts) + "\n"


def _machine(results: Results) -> Iterator[str]:
    yield "Seconds since the kill of the host: median (smallest to largest) of the heats; requests,"
    yield "CPU and memory are of the contender's own processes, until it was done by its own word."
    yield "CPU of the cloud is what all of Nova's and the other services' processes took until the"
    yield "last instance was ACTIVE; the last column is other work on the machine meanwhile."
    yield ""
    for key, value in results.machine.items():
        yield f"- {key}: {value}"


def _of_size(results: Results, instances: int) -> Iterator[str]:
    yield "| | heats | " + " | ".join(name for name, _, _ in _COLUMNS) + " |"
    yield "| --- " * (len(_COLUMNS) + 2) + "|"
    for entry in LINEUP:
        found = results.of(entry.name, instances)
        if found:
            yield _row(entry, found)
    yield from _problems(results, instances)
    yield "\n| goal | measured | |\n| --- | --- | --- |"
    for goal in goals(results, instances):
        measured = "not measured" if goal.measured is None else f"{goal.measured:.2f}"
        word = "" if goal.measured is None else "reached" if goal.reached else "MISSED"
        yield f"| {goal.text} | {measured} | {word} |"
    yield ""
    yield from _phases(results, instances)


def _row(entry: Entry, found: Sequence[Result]) -> str:
    complete = sum(result.complete for result in found)
    heats = f"{complete}" if complete == len(found) else f"{complete} of {len(found)}"
    cells = (_cell(stats.spread(map(value, found)), digits) for _, value, digits in _COLUMNS)
    return f"| {entry.title} | {heats} | " + " | ".join(cells) + " |"


def _cell(found: Spread | None, digits: int) -> str:
    if found is None:
        return "-"
    median = f"{found.median:.{digits}f}"
    if found.count == 1 or found.low == found.high:
        return median
    return f"{median} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def _problems(results: Results, instances: int) -> Iterator[str]:
    for result in results.results:
        if result.instances == instances and result.problem:
            yield f"\n{result.contender}, round {result.round}: {result.problem}"


def _phases(results: Results, instances: int) -> Iterator[str]:
    """Yield when what happened, for every contender that says it."""
    names = list(dict.fromkeys(m for r in results.results for m in r.marks))
    yield "| seconds since the kill | " + " | ".join(names) + " |"
    yield "| --- " * (len(names) + 1) + "|"
    for entry in LINEUP:
        found = results.of(entry.name, instances)
        cells = [_cell(stats.spread(r.marks.get(name) for r in found), 2) for name in names]
        if any(cell != "-" for cell in cells):
            yield f"| {entry.title} | " + " | ".join(cells) + " |"


def _includes(results: Results) -> Iterator[str]:
    present = {result.contender for result in results.results}
    for entry in LINEUP:
        if entry.name in present:
            yield f"- **{entry.title}**: {entry.includes}"
            yield from _settings(results, entry)


def _settings(results: Results, entry: Entry) -> Iterator[str]:
    """Yield what was set, by the last heat that says it."""
    said = [r.settings for r in results.results if r.contender == entry.name and r.settings]
    if said:
        pairs = (f"`{key}` = {value}" for key, value in said[-1].items())
        yield "  Set: " + ", ".join(pairs) + "."


def _search(results: Results) -> Iterator[str]:
    """Yield how the floor's number of evacuations in flight was found."""
    rows = [(size, *row) for size in results.sizes() for row in search.tried(results, size)]
    if rows:
        yield "\n## The search for the floor\n"
        yield "Seconds from the host forced down to the last instance.\n"
        yield "| instances | in flight | heats | seconds |\n| --- | --- | --- | --- |"
    for size, number, seconds in rows:
        yield f"| {size} | {number} | {seconds.count} | {_cell(seconds, 1)} |"
