"""An inventory as TOML text: the inverse of `cib.inventory.parse`."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from novaha.cib.inventory import Inventory, Kind, Node
from novaha.core.storage import WORDS, Storage

Levels = tuple[tuple[str, ...], ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write(inventory: Inventory, remarks: Iterable[str] = ()) -> str:
    """Return the text; remarks stand above it as comments."""
    common = common_levels(inventory)
    lines = [
        *(f"# {line}".rstrip() for remark in remarks for line in _one_line(remark)),
        f"cloud = {_text(inventory.cloud)}",
        _storage(inventory.storage),
        f"profile = {_text(inventory.profile.name)}",
        f"nova_compute = {_text(inventory.nova_compute)}",
        f"levels = {_levels(common)}",
        *([] if inventory.fail_counts else ["fail_counts = false"]),
        *([] if inventory.gate is None else [f"gate = {_inline(inventory.gate)}"]),
        *([] if inventory.kinds else ["", "[fence]"]),
        *(line for kind in inventory.kinds.values() for line in _kind(kind)),
        *(line for node in inventory.nodes for line in _node(node, common)),
        *_table("evacuate", inventory.evacuate),
        *_table("unfence", inventory.unfence),
        *_groups(inventory),
    ]
    return "\n".join(lines) + "\n"


def _storage(said: Storage | None) -> str:
    # Empty is refused, with the line: a person has to say it.
    return f'storage = ""  # {WORDS}?' if said is None else f"storage = {_text(said)}"


def common_levels(inventory: Inventory) -> Levels:
    """Return the levels that most computes have; of equals those that come first."""
    counts: dict[Levels, int] = {}
    for node in inventory.computes or inventory.controllers:
        counts[node.levels] = counts.get(node.levels, 0) + 1
    return max(counts, key=lambda levels: counts[levels], default=())


def _kind(kind: Kind) -> Iterator[str]:
    yield ""
    yield f"[fence.{_key(kind.name)}]"
    yield f"agent = {_text(kind.agent)}"
    if kind.shared:
        yield "shared = true"
    if kind.password_in_cib:
        yield "password_in_cib = true"
    if kind.options:
        yield f"options = {_inline(kind.options)}"


def _node(node: Node, common: Levels) -> Iterator[str]:
    yield ""
    yield "[[controller]]" if node.address is None else "[[compute]]"
    yield f"name = {_text(node.name)}"
    if node.address:
        yield f"address = {_text(node.address)}"
    if node.nova_host is not None:
        yield f"nova_host = {_text(node.nova_host)}"
    if node.levels != common:
        yield f"levels = {_levels(node.levels)}"
    for kind, options in node.devices.items():
        yield f"fence.{_key(kind)} = {_inline(options)}"


def _table(name: str, options: Mapping[str, str]) -> Iterator[str]:
    if options:
        yield from ("", f"[{name}]", *(f"{_key(k)} = {_text(v)}" for k, v in options.items()))


def _groups(inventory: Inventory) -> Iterator[str]:
    if inventory.groups:
        yield from ("", "[groups]")
    for name, nodes in inventory.groups.items():
        yield f"{_key(name)} = [{', '.join(map(_text, nodes))}]"


def _levels(levels: Levels) -> str:
    return "[" + ", ".join("[" + ", ".join(map(_text, level)) + "]" for level in levels) + "]"


def _inline(options: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{_key(name)} = {_text(value)}" for name, value in options.items())
    return f"{{ {pairs} }}" if pairs else "{}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    # A basic string of TOML is escaped as JSON's are, and may not hold DEL either.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(remark: str) -> list[str]:
    return ["".join(c for c in line if c.isprintable()) for line in remark.splitlines()] or [""]
