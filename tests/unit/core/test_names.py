"""Which Nova host a node is; a wrong answer would evacuate a host that runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.hostmap import parse_host_map
from novaha.core.names import (
    ComputeHost,
    HostAmbiguous,
    HostNotFound,
    NodeName,
    compute_host_of,
)

MAP = {NodeName("rack1-a"): ComputeHost("compute-1.example")}


@pytest.mark.parametrize(
    ("node", "hosts", "host"),
    [
        ("compute-1", ["compute-1"], "compute-1"),
        ("compute-1", ["compute-1", "compute-1.example"], "compute-1"),
        ("compute-1", ["compute-2.example", "compute-1.example"], "compute-1.example"),
        ("compute-1.example", ["compute-1", "compute-2"], "compute-1"),
        ("compute-1.a", ["compute-1.b", "compute-1.a"], "compute-1.a"),
    ],
)
def test_a_node_is_found_by_its_name_or_by_the_only_like_one(
    node: str, hosts: list[str], host: str
) -> None:
    assert compute_host_of(NodeName(node), map(ComputeHost, hosts), {}) == host


@pytest.mark.parametrize(
    ("node", "hosts"),
    [
        ("compute-1", []),
        ("compute-1", ["compute-10", "compute-11.example"]),
        ("compute-1.a", ["compute-1.b"]),
        ("compute", ["compute-1"]),
        ("COMPUTE-1", ["compute-1"]),
    ],
)
def test_a_host_that_only_looks_similar_is_not_taken(node: str, hosts: list[str]) -> None:
    with pytest.raises(HostNotFound, match=node):
        compute_host_of(NodeName(node), map(ComputeHost, hosts), {})


def test_two_hosts_that_match_one_node_are_an_error_that_names_both() -> None:
    hosts = map(ComputeHost, ["compute-1.b", "compute-1.a"])
    with pytest.raises(HostAmbiguous, match=r"compute-1\.a or compute-1\.b"):
        compute_host_of(NodeName("compute-1"), hosts, {})


def test_the_map_decides_alone() -> None:
    hosts = [ComputeHost("rack1-a"), ComputeHost("compute-1.example")]
    assert compute_host_of(NodeName("rack1-a"), hosts, MAP) == "compute-1.example"


def test_a_mapped_host_that_nova_does_not_know_is_not_replaced_by_a_like_one() -> None:
    with pytest.raises(HostNotFound, match=r"mapped to compute-1\.example"):
        compute_host_of(NodeName("rack1-a"), [ComputeHost("rack1-a")], MAP)


@pytest.mark.parametrize("node", ["compute-1", "compute-1.example"])
def test_a_host_that_is_mapped_to_one_node_belongs_to_no_other(node: str) -> None:
    with pytest.raises(HostNotFound):
        compute_host_of(NodeName(node), [ComputeHost("compute-1.example")], MAP)


NODES = st.sets(st.sampled_from(["a", "b", "ab", "ba"]), min_size=1)
HOSTS = st.sets(st.from_regex(r"(a|b|ab)(\.[xy])?", fullmatch=True))


@given(NODES, HOSTS)
def test_no_two_nodes_with_short_names_share_a_host(nodes: set[str], hosts: set[str]) -> None:
    taken = []
    for node in nodes:
        try:
            taken.append(compute_host_of(NodeName(node), map(ComputeHost, hosts), {}))
        except (HostNotFound, HostAmbiguous):
            continue
    assert len(taken) == len(set(taken))


def test_a_host_map_is_read() -> None:
    assert parse_host_map(" a=h1\n b.x=h_2.y ") == {"a": "h1", "b.x": "h_2.y"}
    assert parse_host_map("") == {}


@pytest.mark.parametrize("text", ["a", "a=", "=h", "a=b=c", "a=h,b=i", "a=h a=i", "a=h b=h", "ä=h"])
def test_a_host_map_with_a_bad_or_double_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host_map"):
        parse_host_map(text)
