"""Drains and node attributes as a CIB has them."""

from xml.etree import ElementTree as ET

import pytest
from novaha.adapters import drain
from novaha.core.drain import Drain, Health
from novaha.core.names import NodeName
from novaha.errors import ClusterUnavailable

NODE = NodeName("compute-1")


def cib(lasting: str = "", transient: str = "", state: str = "") -> ET.Element:
    return ET.fromstring(_CIB.format(lasting=lasting, transient=transient, state=state))  # noqa: S314


_CIB = """
<cib><configuration>
  <crm_config><cluster_property_set id="nova-ha-state">{state}</cluster_property_set></crm_config>
  <nodes>
    <node id="1" uname="controller-1"/>
    <node id="compute-1" uname="compute-1" type="remote">
      <instance_attributes id="a">{lasting}</instance_attributes>
    </node>
  </nodes>
</configuration><status>
  <node_state uname="compute-1"><transient_attributes id="t">
    <instance_attributes id="s">{transient}</instance_attributes>
  </transient_attributes></node_state>
</status></cib>
"""


def pair(name: str, value: str) -> str:
    return f'<nvpair id="x-{name}" name="{name}" value="{value}"/>'


@pytest.mark.parametrize(
    ("lasting", "transient", "health"),
    [
        ("", "", {}),
        (pair("#health-smart", "green"), "", {}),
        (pair("#health-smart", "red"), pair("#health-cpu", "yellow"), {NODE: Health.RED}),
        ("", pair("#health_disk", "YELLOW"), {NODE: Health.YELLOW}),
        (pair("health", "red"), pair("#kind", "red"), {}),
    ],
)
def test_health_is_read_from_both_kinds_of_attributes(
    lasting: str, transient: str, health: dict[NodeName, Health]
) -> None:
    assert dict(drain.health_of_nodes(cib(lasting, transient))) == health


@pytest.mark.parametrize(
    ("lasting", "transient", "there"),
    [
        (pair("standby", "on"), "", True),
        ("", pair("standby", "True"), True),
        (pair("standby", "off"), "", False),
        (pair("stand-by", "on"), "", False),
    ],
)
def test_standby_is_read_from_both_kinds_of_attributes(
    lasting: str,
    transient: str,
    there: bool,  # noqa: FBT001
) -> None:
    assert (NODE in drain.standby_of(cib(lasting, transient))) is there


def test_words_and_what_was_taken_are_read_garbled_or_not() -> None:
    state = pair("nova-ha-drain-compute-1", "v1 time=1 by=a standby=no why=x")
    state += pair("nova-ha-drain-compute-2", "by hand")
    state += pair("nova-ha-withdrawn-compute-2", "")
    root = cib(state=state)
    assert [d.by for d in drain.drains_of(root)] == ["a", "somebody"]
    assert [w.node for w in drain.withdrawn_of(root)] == ["compute-2"]


def test_standby_is_set_and_taken_back_as_pacemaker_keeps_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(drain, "run", lambda argv, **_: ran.append(argv))
    drain.set_standby(NODE, on=True)
    drain.set_standby(NODE, on=False)
    common = ["crm_attribute", "--type", "nodes", "--node", "compute-1", "--name", "standby"]
    assert ran == [[*common, "--update", "on"], [*common, "--delete"]]


def test_a_name_that_the_cib_cannot_keep_is_refused() -> None:
    with pytest.raises(ClusterUnavailable, match="cannot be kept"):
        drain.write_drain(Drain(NodeName("a b"), 0, "x"))
