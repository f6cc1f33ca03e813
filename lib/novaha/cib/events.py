"""What may happen to a cluster, written into its CIB as the cluster itself would write it.

Pacemaker's scheduler then says what it does about it. crm_simulate could inject the same, but that
of Pacemaker 3.0.0 then leaves its answer out of its XML.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from novaha.cib.xml import Element, find_all
from novaha.errors import ConfigError

_ERROR, _NOT_RUNNING = 1, 7
_DONE, _FAILED = 0, 4
_RUNS = frozenset({"0", "8", "190", "191"})
"""Results of a resource that runs: also promoted, and both of them degraded."""

_STATE = "/cib/status/node_state[@uname=$name]"
_MANY = 8


@dataclass(frozen=True)
class Event:
    """One thing that happens. name: of a node or, where something fails, of a resource.

    node: where a resource fails, needed only where it runs on several.
    """

    kind: Literal["down", "standby", "maintenance", "fail"]
    name: str
    node: str | None = None

    def __str__(self) -> str:
        """Return it as the end of a sentence that begins with "if"."""
        place = "" if self.node is None else f" on {self.node}"
        return {
            "down": f"{self.name} is lost",
            "standby": f"{self.name} is put into standby",
            "maintenance": f"{self.name} is put into maintenance",
            "fail": f"{self.name} fails{place}",
        }[self.kind]


def happen(cib: Element, event: Event, now_s: int) -> None:
    """Write an event into a CIB; raises ConfigError where it cannot happen.

    now_s: seconds since the epoch; a failure of long ago would have expired.
    """
    if event.kind == "down" and event.name not in remotes(cib):
        _lose_full(cib, event.name)
    elif event.kind == "down":
        _lose_remote(cib, event.name, now_s)
    elif event.kind == "fail":
        _fail(cib, event, now_s)
    else:
        _mark(cib, event)
    _count_votes(cib)


def remotes(cib: Element) -> frozenset[str]:
    """Return the names of all remote nodes."""
    found = find_all(cib, "/cib/configuration/resources//primitive[@type='remote']")
    return frozenset(str(each.get("id")) for each in found)


def full_nodes(cib: Element) -> tuple[str, ...]:
    """Return the names of all full cluster nodes, in order."""
    found = find_all(cib, "/cib/configuration/nodes/node[not(@type='remote')]")
    return tuple(str(each.get("uname")) for each in found)


def where(cib: Element, resource: str) -> tuple[str, ...]:
    """Return the nodes on which a resource's history says that it runs."""
    return tuple(str(state.get("uname")) for state, _ in _running(cib, resource))


def _lose_remote(cib: Element, name: str, now_s: int) -> None:
    found = _found_running(cib, name, None)
    _fail_last(*found[0], _ERROR, now_s)


def _lose_full(cib: Element, name: str) -> None:
    state = _state(cib, name)
    if not is_online(state):
        msg = f"{name} is offline already"
        raise ConfigError(msg)
    state.attrib.update({"in_ccm": "false", "crmd": "offline", "join": "down"})


def is_online(state: Element) -> bool:
    """Tell whether a full node is a member; from Pacemaker 2.1.7 on, a time stands for true."""
    return state.get("in_ccm") not in {None, "false", "0"}


def _fail(cib: Element, event: Event, now_s: int) -> None:
    found = _found_running(cib, event.name, event.node)
    if len(found) > 1:
        names = _list([str(state.get("uname")) for state, _ in found])
        msg = f"{event.name} runs on {names}: say where it fails, as {event.name}@NODE"
        raise ConfigError(msg)
    # An agent that looks for its service finds it gone; a device or a connection answers no more.
    is_service = found[0][1].get("class") != "stonith" and event.name not in remotes(cib)
    _fail_last(*found[0], _NOT_RUNNING if is_service else _ERROR, now_s)


def _mark(cib: Element, event: Event) -> None:
    """Set a node's attribute that is named as the event."""
    _state(cib, event.name)
    there = find_all(cib, "/cib/configuration/nodes")
    nodes = there[0] if there else etree.SubElement(find_all(cib, "/cib/configuration")[0], "nodes")
    found = find_all(nodes, "node[@uname=$name]", name=event.name)
    remote = {"id": event.name, "uname": event.name, "type": "remote"}
    node = found[0] if found else etree.SubElement(nodes, "node", remote)
    for old in find_all(node, "instance_attributes/nvpair[@name=$name]", name=event.kind):
        old.getparent().remove(old)  # type: ignore[union-attr]
    id_ = f"what-if-{event.name}-{event.kind}"
    group = etree.SubElement(node, "instance_attributes", id=id_)
    value = "on" if event.kind == "standby" else "true"
    etree.SubElement(group, "nvpair", id=f"{id_}-nvpair", name=event.kind, value=value)


def _count_votes(cib: Element) -> None:
    """Take quorum away where most full nodes are lost; two alone keep it, as corosync has it."""
    names = full_nodes(cib)
    states = [state for name in names for state in find_all(cib, _STATE, name=name)]
    online = sum(map(is_online, states))
    if len(names) > 2 and online * 2 <= len(names):  # noqa: PLR2004
        cib.set("have-quorum", "0")


def _state(cib: Element, name: str) -> Element:
    """Return the state of a node; raises ConfigError where there is none."""
    found = find_all(cib, _STATE, name=name)
    if not found:
        known = _list([*full_nodes(cib), *sorted(remotes(cib))])
        msg = f"{name} is no node that this cluster has seen; there is {known}"
        raise ConfigError(msg)
    return found[0]


def _found_running(cib: Element, resource: str, node: str | None) -> list[tuple[Element, Element]]:
    """Return where a resource runs, as _running does, but not nothing."""
    known = {str(each.get("id")) for each in find_all(cib, "/cib/configuration//primitive")}
    if resource not in known:
        msg = f"there is no resource {resource}; there is {_list(sorted(known))}"
        raise ConfigError(msg)
    if node is not None:
        _state(cib, node)
    found = [each for each in _running(cib, resource) if node in {None, each[0].get("uname")}]
    if not found:
        place = "" if node is None else f" on {node}"
        msg = f"{resource} does not run{place} now: nothing can be lost there"
        raise ConfigError(msg)
    return found


def _running(cib: Element, resource: str) -> Iterator[tuple[Element, Element]]:
    """Yield (node_state, lrm_resource) of each node whose history ends with the resource there.

    A clone's instances have its name there too, with or without a number.
    """
    xpath = "lrm/lrm_resources/lrm_resource[@id=$id or starts-with(@id, concat($id, ':'))]"
    for state in find_all(cib, "/cib/status/node_state"):
        for history in find_all(state, xpath, id=resource):
            if _ends_running(history):
                yield state, history


def _ends_running(history: Element) -> bool:
    last = max(history, key=_call_of, default=None)
    return last is not None and last.get("operation") != "stop" and last.get("rc-code") in _RUNS


def _call_of(op: Element) -> int:
    """Return the number of a call; -1 is Pacemaker's for one that is pending, and ours for none."""
    text = op.get("call-id", "")
    return int(text) if text.isascii() and text.isdigit() else -1


def _fail_last(state: Element, history: Element, rc: int, now_s: int) -> None:
    """Have the last recurring monitor of a history fail, or what stands last in it."""
    ops = sorted(history, key=lambda op: (op.get("interval") != "0", _call_of(op)))
    monitor, id_ = ops[-1], str(history.get("id"))
    status = _DONE if rc == _NOT_RUNNING else _FAILED
    key = str(monitor.get("transition-key"))
    monitor.attrib.update(
        {
            "rc-code": str(rc),
            "op-status": str(status),
            "transition-magic": f"{status}:{rc};{key}",
            "call-id": str(int(monitor.get("call-id", "0")) + 1),
            "last-rc-change": str(now_s),
            "on_node": str(state.get("uname")),
        }
    )
    for old in history.findall(f"lrm_rsc_op[@id='{id_}_last_failure_0']"):
        history.remove(old)
    failure = deepcopy(monitor)
    failure.set("id", f"{id_}_last_failure_0")
    history.append(failure)


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
