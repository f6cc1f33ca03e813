"""The configuration as a script of pcs commands, which pushes once."""

import shlex
from collections.abc import Iterator, Sequence

from novaha.cib.configuration import Configuration, Pairs, Primitive

# pcs asks for --force where an agent is not on the machine where it runs, or a node is not yet
# known to the cluster; the defaults of the agents' metadata are left out, as ours are complete.
HEAD = """\
#!/bin/bash
# Made by `nova-ha cib generate`. Writes everything to a copy of the CIB and pushes it once.
# With a file as its argument it changes that file and pushes nothing.
set -euo pipefail
cib=${1:-$(mktemp)}
if [ $# -eq 0 ]; then
  trap 'rm -f "$cib" "$cib.before"' EXIT
  pcs cluster cib "$cib"
  cp "$cib" "$cib.before"
fi
p() { pcs -f "$cib" "$@"; }
"""
TAIL = """\
if [ $# -eq 0 ]; then
  pcs cluster cib-push "$cib" diff-against="$cib.before"
fi
"""


def render(configuration: Configuration) -> str:
    """Return the script; it wants an existing, empty or unrelated configuration."""
    lines = (shlex.join(("p", *words)) for words in _forced(configuration))
    return HEAD + "".join(f"{line}\n" for line in lines) + TAIL


def commands(configuration: Configuration) -> Iterator[Sequence[str]]:
    """Yield the words of each command behind `pcs -f FILE`."""
    yield "property", "set", *_words(configuration.properties)
    yield "resource", "defaults", "update", *_words(configuration.defaults)
    for primitive in configuration.primitives:
        yield _primitive(primitive)
    for level in configuration.levels:
        words = ("stonith", "level", "add", str(level.index), level.node)
        yield *words, *level.devices
    yield from _constraints(configuration)
    for id_, path in configuration.alerts:
        yield "alert", "create", f"id={id_}", f"path={path}"


def _constraints(configuration: Configuration) -> Iterator[Sequence[str]]:
    for place in configuration.locations:
        score, operation = place.rule
        discovery = () if place.is_probed else ("resource-discovery=exclusive",)
        how = (f"constraint-id={place.id}", *discovery, f"score={score}")
        test = ("#kind", operation, place.kind)
        yield "constraint", "location", place.resource, "rule", *how, *test
    for order in configuration.orders:
        words = ("start", order.first, "then", "start", order.then)
        yield "constraint", "order", *words, f"id={order.id}"
    for near in configuration.colocations:
        pair = (near.resource, "with", near.with_resource)
        yield "constraint", "colocation", "add", *pair, "INFINITY", f"id={near.id}"


def _forced(configuration: Configuration) -> Iterator[Sequence[str]]:
    for words in commands(configuration):
        # The only command that does not know the option.
        yield words if words[0] == "alert" else (*words, "--force")


def _primitive(primitive: Primitive) -> Sequence[str]:
    operations = [
        word
        for op in primitive.operations
        for word in ("op", op.name, f"interval={op.interval_s}s", f"timeout={op.timeout_s}s")
    ]
    meta = ("meta", *_words(primitive.meta)) if primitive.meta else ()
    rest = (*_words(primitive.params), *operations, *meta)
    if primitive.is_device:
        return "stonith", "create", primitive.id, primitive.agent.split(":")[1], *rest
    clone = () if primitive.clone is None else ("clone", primitive.top_id, *_words(primitive.clone))
    words = ("resource", "create", primitive.id, primitive.agent)
    return *words, *rest, *clone, "--no-default-ops"


def _words(pairs: Pairs) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in pairs)
