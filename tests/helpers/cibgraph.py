"""What waits for what in a transition graph that crm_simulate wrote."""

from novaha.cib.xml import Element, find_all


def fencings_before(graph: Element, operation_key: str) -> frozenset[str]:
    """Return the nodes whose fencing an operation waits for, directly or through others."""
    waits: dict[str, set[str]] = {}
    for synapse in find_all(graph, "synapse"):
        inputs = {str(each.get("id")) for each in find_all(synapse, "inputs/trigger/*")}
        waits |= {str(each.get("id")): inputs for each in find_all(synapse, "action_set/*")}
    xpath = "synapse/action_set/*[@operation_key=$key]"
    todo = [str(each.get("id")) for each in find_all(graph, xpath, key=operation_key)]
    assert todo, f"the graph has no {operation_key}"
    seen: set[str] = set()
    while todo:
        id_ = todo.pop()
        if id_ not in seen:
            seen.add(id_)
            todo += waits.get(id_, ())
    fencings = find_all(graph, "synapse/action_set/crm_event[@operation='stonith']")
    return frozenset(str(each.get("on_node")) for each in fencings if each.get("id") in seen)
