"""The configuration as crmsh commands, for `crm configure load update FILE`."""

from collections.abc import Iterator

from novaha.cib.configuration import Configuration, Pairs, Primitive

HEAD = """\
# Made by `nova-ha cib generate`. Load it with: crm configure load update FILE
# crmsh keeps one fencing_topology: levels of other nodes are replaced by those below.
"""


def render(configuration: Configuration) -> str:
    """Return the text of the file."""
    return HEAD + "".join(f"{line}\n" for line in _lines(configuration))


def _lines(configuration: Configuration) -> Iterator[str]:
    for primitive in configuration.primitives:
        yield _primitive(primitive)
        if primitive.clone is not None:
            meta = f" meta {_words(primitive.clone)}" if primitive.clone else ""
            yield f"clone {primitive.top_id} {primitive.id}{meta}"
    yield f"fencing_topology {' '.join(_topology(configuration))}"
    for place in configuration.locations:
        score, operation = place.rule
        discovery = "" if place.is_probed else " resource-discovery=exclusive"
        rule = f"rule {score}: #kind {operation} {place.kind}"
        yield f"location {place.id} {place.resource}{discovery} {rule}"
    for order in configuration.orders:
        yield f"order {order.id} {order.first}:start {order.then}:start"
    for near in configuration.colocations:
        yield f"colocation {near.id} inf: {near.resource} {near.with_resource}"
    yield f"property {_words(configuration.properties)}"
    yield f"rsc_defaults {_words(configuration.defaults)}"
    for id_, path in configuration.alerts:
        yield f"alert {id_} {_quoted(path)}"


def _primitive(primitive: Primitive) -> str:
    parts = [f"primitive {primitive.id} {primitive.agent}"]
    if primitive.params:
        parts.append(f"params {_words(primitive.params)}")
    parts += [
        f"op {op.name} interval={op.interval_s}s timeout={op.timeout_s}s"
        for op in primitive.operations
    ]
    if primitive.meta:
        parts.append(f"meta {_words(primitive.meta)}")
    return " ".join(parts)


def _topology(configuration: Configuration) -> Iterator[str]:
    levels: dict[str, list[str]] = {}
    for level in configuration.levels:
        levels.setdefault(level.node, []).append(",".join(level.devices))
    for node, words in levels.items():
        yield f"{node}: {' '.join(words)}"


def _words(pairs: Pairs) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in pairs)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
