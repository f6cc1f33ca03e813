"""`nova-ha docs`: pages drawn from the tables of the code, so that they cannot tell anything else.

docs/states.md    core/states.py: what states there are, and what leads from one to the next
docs/reasons.md   core/reasons.py: every reason for doing nothing, and what ends it
docs/cib.md       cib/: the keys of an inventory, the profiles, the rules of the check
docs/storm-brake.md   specs/fence_nova_gate.py, core/brake.py: parameters and reasons
docs/migrate.md   cli/docs_migrate.py: how to come from elsewhere
docs/segments.md  core/segments.py: the metadata of a segment, recovery methods, reserved hosts
docs/instances.md core/: what becomes of an instance in each state, who is protected, the order
docs/return.md    cli/docs_return.py: what a host that comes back waits for
docs/parameters.md    specs/: the parameters of the agents; what the cloud's account needs
docs/drain.md     cli/docs_drain.py, core/livestates.py: what leaves a host that is drained
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path

from novaha.cli.docs_brake import brake_page
from novaha.cli.docs_cib import cib_page
from novaha.cli.docs_drain import drain_page
from novaha.cli.docs_instances import instances_page
from novaha.cli.docs_migrate import migrate_page
from novaha.cli.docs_parameters import parameters_page
from novaha.cli.docs_return import return_page
from novaha.cli.docs_segments import segments_page
from novaha.core.reasons import Reason
from novaha.core.states import INSTANCE, RECOVERY, InstanceState, RecoveryState, Transition

STALE, NO_FOLDER = 1, 2
_DRAWN = "<!-- Drawn by `nova-ha docs` from {source}: change it there. -->"

_ABOUT_STATES = """\
No state is kept anywhere: each is recognised anew in every cycle, from the cluster and from Nova
(`core/standing.py` for a node, `core/fates.py` for an instance). A cycle may pass
through several states; the tables tell what can be seen from one cycle to the next."""
_ABOUT_REASONS = """\
The closed list. *Trouble* wants a person: `pcs status` shows nova-evacuate degraded with it. What
*passes* ends by itself. `nova-ha explain` shows both."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    text = "Draw the pages of docs/ that come from the tables of the code."
    parser = subparsers.add_parser("docs", description=text)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    parser.add_argument(
        "--folder", type=Path, default=Path("docs"), help="where they are (default: docs)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the pages, or only tell which are stale."""
    folder: Path = arguments.folder
    if not folder.is_dir():
        sys.stderr.write(f"nova-ha: {folder} is no folder; call it in a checkout, or --folder\n")
        return NO_FOLDER
    stale = stale_pages(folder)
    for name in stale:
        if not arguments.check:
            (folder / name).write_text(PAGES[name](), encoding="utf-8")
        sys.stdout.write(f"{folder / name} {'is stale' if arguments.check else 'is drawn anew'}\n")
    return STALE if stale and arguments.check else 0


def stale_pages(folder: Path) -> list[str]:
    """Return the names of the pages that are missing or differ from the tables."""
    return [name for name, page in PAGES.items() if _text(folder / name) != page()]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def states_page() -> str:
    """Return docs/states.md."""
    return "\n".join(
        (
            _DRAWN.format(source="lib/novaha/core/states.py"),
            "# States",
            "",
            _ABOUT_STATES,
            "",
            "## The recovery of a node",
            "",
            *_drawing(RECOVERY),
            *_meanings(RecoveryState),
            *_causes(RECOVERY),
            "## An instance on its way off the host",
            "",
            *_drawing(INSTANCE),
            *_meanings(InstanceState),
            *_causes(INSTANCE),
        )
    )


def reasons_page() -> str:
    """Return docs/reasons.md."""
    rows = (
        (f"`{r.code}`", "trouble" if r.trouble else "passes", r.sentence, r.ends) for r in Reason
    )
    return "\n".join(
        (
            _DRAWN.format(source="lib/novaha/core/reasons.py"),
            "# Reasons for doing nothing",
            "",
            _ABOUT_REASONS,
            "",
            *_table(("code", "kind", "meaning", "what ends it"), rows),
        )
    )


PAGES: dict[str, Callable[[], str]] = {
    "states.md": states_page,
    "reasons.md": reasons_page,
    "cib.md": cib_page,
    "storm-brake.md": brake_page,
    "migrate.md": migrate_page,
    "segments.md": segments_page,
    "instances.md": instances_page,
    "return.md": return_page,
    "drain.md": drain_page,
    "parameters.md": parameters_page,
}


def _drawing(table: Sequence[Transition]) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for before, after in dict.fromkeys((t.before, t.after) for t in table):
        yield f"    {before.name} --> {after.name}"
    yield "```"
    yield ""


def _meanings(states: type[Enum]) -> Iterator[str]:
    yield from _table(("state", "meaning"), ((s.name, s.value) for s in states))


def _causes(table: Sequence[Transition]) -> Iterator[str]:
    rows = ((t.before.name, t.after.name, t.cause) for t in table)
    yield from _table(("from", "to", "cause"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""
