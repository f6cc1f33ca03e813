"""The configuration as the CIB's XML; ids are made as pcs makes them."""

from collections.abc import Iterable

from lxml import etree

from novaha.cib.configuration import Configuration, Level, Pairs, Primitive
from novaha.cib.xml import Element

EMPTY = '<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"/>'


def whole(configuration: Configuration) -> Element:
    """Return a CIB with this configuration and nothing else.

    Its schema is pacemaker-3.9, that of Debian 12's Pacemaker 2.1.5; newer ones know it too.
    """
    cib = etree.fromstring(EMPTY)
    cib.append(render(configuration))
    etree.SubElement(cib, "status")
    return cib


def render(configuration: Configuration) -> Element:
    """Return the element `configuration`."""
    root = etree.Element("configuration")
    crm_config = _sub(root, "crm_config")
    _pairs(crm_config, "cluster_property_set", "cib-bootstrap-options", configuration.properties)
    _sub(root, "nodes")
    resources = _sub(root, "resources")
    for primitive in configuration.primitives:
        _primitive(resources, primitive)
    _constraints(_sub(root, "constraints"), configuration)
    topology = _sub(root, "fencing-topology")
    for level in configuration.levels:
        _level(topology, level)
    defaults = _sub(root, "rsc_defaults")
    _pairs(defaults, "meta_attributes", "rsc_defaults-meta_attributes", configuration.defaults)
    alerts = _sub(root, "alerts")
    for id_, path in configuration.alerts:
        _sub(alerts, "alert", id=id_, path=path)
    return root


def _primitive(parent: Element, primitive: Primitive) -> None:
    if primitive.clone is not None:
        parent = _sub(parent, "clone", id=primitive.top_id)
    class_, *provider, type_ = primitive.agent.split(":")
    element = _sub(parent, "primitive", id=primitive.id)
    element.set("class", class_)
    for name in provider:
        element.set("provider", name)
    element.set("type", type_)
    _pairs(element, "instance_attributes", f"{primitive.id}-instance_attributes", primitive.params)
    _pairs(element, "meta_attributes", f"{primitive.id}-meta_attributes", primitive.meta)
    operations = _sub(element, "operations")
    for op in primitive.operations:
        interval = f"{op.interval_s}s"
        id_ = f"{primitive.id}-{op.name}-interval-{interval}"
        _sub(operations, "op", id=id_, name=op.name, interval=interval, timeout=f"{op.timeout_s}s")
    if primitive.clone is not None:
        id_ = f"{primitive.top_id}-meta_attributes"
        _pairs(parent, "meta_attributes", id_, primitive.clone)


def _constraints(parent: Element, configuration: Configuration) -> None:
    for place in configuration.locations:
        location = _sub(parent, "rsc_location", id=place.id, rsc=place.resource)
        if not place.is_probed:
            location.set("resource-discovery", "exclusive")
        score, operation = place.rule
        rule = _sub(location, "rule", id=f"{place.id}-rule", score=score)
        _sub(
            rule,
            "expression",
            id=f"{place.id}-rule-expr",
            attribute="#kind",
            operation=operation,
            value=place.kind,
        )
    for order in configuration.orders:
        element = _sub(parent, "rsc_order", id=order.id, first=order.first, then=order.then)
        element.set("first-action", "start")
        element.set("then-action", "start")
    for near in configuration.colocations:
        element = _sub(parent, "rsc_colocation", id=near.id, rsc=near.resource, score="INFINITY")
        element.set("with-rsc", near.with_resource)


def _level(parent: Element, level: Level) -> None:
    _sub(
        parent,
        "fencing-level",
        id=level.id,
        target=level.node,
        index=str(level.index),
        devices=",".join(level.devices),
    )


def _pairs(parent: Element, tag: str, id_: str, pairs: Pairs) -> None:
    if pairs:
        element = _sub(parent, tag, id=id_)
        for name, value in pairs:
            _sub(element, "nvpair", id=f"{id_}-{name}", name=name, value=value)


def _sub(parent: Element, tag: str, **attributes: str) -> Element:
    return etree.SubElement(parent, tag, attributes)


def as_text(element: Element) -> str:
    """Return XML with line ends and indentation."""
    etree.indent(element)
    return etree.tostring(element, encoding="unicode") + "\n"


def complaints(cib: Element, rng: Element) -> tuple[str, ...]:
    """Return what a Pacemaker's schema finds wrong with a CIB. rng: the document of the schema."""
    schema = etree.RelaxNG(rng.getroottree())
    copy = etree.fromstring(etree.tostring(cib))
    return () if schema.validate(copy) else tuple(_first_lines(schema))


def _first_lines(schema: etree.RelaxNG) -> Iterable[str]:
    return (f"{error.line}: {error.message}" for error in list(schema.error_log)[:20])
