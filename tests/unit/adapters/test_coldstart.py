"""What the status section of a CIB tells of the beginning of a cluster."""

from xml.etree import ElementTree as ET

import pytest
from novaha.adapters import cib, coldstart
from novaha.core.coldstart import Beginning
from novaha.core.names import NodeName

A, B = NodeName("compute-1"), NodeName("compute-2")
BEGAN_S = 1_700_000_000


def op(name: str = "monitor", rc: int = 7, at_s: object = BEGAN_S) -> str:
    return f'<lrm_rsc_op operation="{name}" rc-code="{rc}" last-rc-change="{at_s}"/>'


def lrm(resource: str, *ops: str) -> str:
    return (
        f'<lrm><lrm_resources><lrm_resource id="{resource}">{"".join(ops)}</lrm_resource>'
        "</lrm_resources></lrm>"
    )


def root(*states: str, meta: str = "") -> ET.Element:
    pairs = f"<meta_attributes>{meta}</meta_attributes>"
    first = f'<primitive id="{A}" class="ocf" type="remote">{pairs}</primitive>'
    second = f'<group id="g"><primitive id="{B}" class="ocf" type="remote"/></group>'
    text = f"<cib><configuration><resources>{first}{second}</resources></configuration>"
    return ET.fromstring(f"{text}<status>{''.join(states)}</status></cib>")  # noqa: S314


def controller(*inner: str) -> str:
    return f'<node_state uname="ctl-1" in_ccm="true">{"".join(inner)}</node_state>'


def remote(node: NodeName, inner: str = "", **more: str) -> str:
    attributes = {"id": node, "uname": node, "remote_node": "true", **more}
    text = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<node_state {text}>{inner}</node_state>"


def unseen(*states: str, meta: str = "") -> frozenset[NodeName]:
    found = coldstart.beginning_of(root(controller(), *states, meta=meta), (A, B))
    return found.unseen - {B}


@pytest.mark.parametrize("state", ["", remote(A, in_ccm="false"), remote(A, in_ccm="0")])
def test_who_was_never_tried_or_never_reached_is_unseen(state: str) -> None:
    assert unseen(state) == {A}


@pytest.mark.parametrize(
    "state",
    [
        remote(A, in_ccm="true"),
        remote(A, in_ccm="1700000000"),
        remote(A, in_ccm="false", node_fenced="1"),
        remote(A, lrm("nova-compute", op()), in_ccm="false"),
        controller(lrm(A, op("start", 0))),
    ],
    ids=["joined", "joined, 3.0", "fenced", "was looked at", "was connected"],
)
def test_who_joined_or_was_fenced_since_is_seen(state: str) -> None:
    assert unseen(state) == frozenset()


def test_a_try_that_failed_is_no_sight() -> None:
    assert unseen(controller(lrm(A, op("start", 1), op("stop", 0)))) == {A}


@pytest.mark.parametrize(
    "meta",
    [
        '<nvpair name="target-role" value="Stopped"/>',
        '<nvpair name="is-managed" value="false"/>',
    ],
)
def test_a_connection_that_a_person_stopped_is_not_waited_for(meta: str) -> None:
    assert unseen(meta=meta) == frozenset()


def test_only_hosts_with_a_gate_are_asked_about() -> None:
    assert coldstart.beginning_of(root(), (B,)).unseen == {B}


def test_the_cluster_is_as_old_as_the_oldest_thing_that_a_controller_remembers() -> None:
    young = controller(lrm("x", op(at_s=BEGAN_S + 90), op(at_s=BEGAN_S + 5)))
    old = f'<node_state uname="ctl-2" in_ccm="true">{lrm("x", op())}</node_state>'
    assert coldstart.beginning_of(root(young, old), ()).at_s == BEGAN_S
    assert coldstart.beginning_of(root(young), ()).at_s == BEGAN_S + 5


@pytest.mark.parametrize("odd", ["", "soon", "-5", "0", "1.5"])
def test_a_second_that_is_none_is_passed_over(odd: str) -> None:
    state = controller(lrm("x", op(at_s=odd), op(at_s=BEGAN_S)))
    assert coldstart.beginning_of(root(state), ()).at_s == BEGAN_S


def test_clocks_of_computes_do_not_count() -> None:
    assert coldstart.beginning_of(root(remote(A, lrm("x", op(at_s=5)))), ()).at_s is None


def test_a_daemon_that_is_older_than_what_is_remembered_tells_the_age() -> None:
    # pcs resource refresh has Pacemaker forget all that ran.
    assert coldstart.older(Beginning(100.0), 40.0).at_s == 40.0
    assert coldstart.older(Beginning(100.0), 140.0).at_s == 100.0
    assert coldstart.older(Beginning(100.0), None).at_s == 100.0
    assert coldstart.older(Beginning(None), None).at_s is None


def test_no_pacemakerd_has_started_this_process() -> None:
    assert coldstart.daemon_began_s() is None


def test_the_age_of_an_ancestor_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import time
    from pathlib import Path

    name = Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    monkeypatch.setattr(coldstart, "DAEMON", name)
    found = coldstart.daemon_began_s()
    assert found is not None
    assert time.time() - 86400 * 365 < found <= time.time()


def test_a_state_is_deleted_as_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def note(argv: list[str], **_: object) -> str:
        calls.append(argv)
        return ""

    monkeypatch.setattr(cib, "run", note)
    state = remote(A, in_ccm="false", node_fenced="0")
    coldstart.ask_again(root(controller(), state, remote(B, in_ccm="true")), (A,))
    (argv,) = calls
    assert argv[:4] == ["cibadmin", "--delete", "--scope", "status"]
    assert argv[-1] == f'<node_state id="{A}" uname="{A}" in_ccm="false" />'
