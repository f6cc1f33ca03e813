"""What is said about the order of instances, and who waits for whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.details import Details, Flavor
from novaha.core.model import Server
from novaha.core.names import ComputeHost, ServerId
from novaha.core.order import (
    AFTER,
    PRIORITY,
    READY,
    Member,
    Target,
    Wish,
    misread,
    rank,
    waits,
    wish_of,
)
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate

NOW_S = 1000.0


def wish(**metadata: str) -> Wish:
    keys = {"priority": PRIORITY, "after": AFTER, "ready": READY}
    return wish_of(Details(metadata={keys.get(k, k): v for k, v in metadata.items()}), Rules())


@pytest.mark.parametrize(
    ("said", "priority"),
    [
        ("100", 100),
        ("-5", -5),
        (" 7 ", 7),
        ("high", 0),
        ("", 0),
        ("1.5", 0),
        ("9" * 30, 1_000_000),
        ("-" + "9" * 30, -1_000_000),
        ("9" * 5000, 0),
    ],
)
def test_a_priority_is_a_whole_number_or_as_good_as_not_said(said: str, priority: int) -> None:
    assert wish(priority=said).priority == priority


@pytest.mark.parametrize(
    ("value", "priority"), [("True", 1), ("true", 1), ("yes", 1), ("truly", 0), ("", 0)]
)
def test_what_masakari_takes_first_goes_first_unless_a_priority_is_said(
    value: str, priority: int
) -> None:
    assert wish(HA_Enabled=value).priority == priority
    assert wish(HA_Enabled=value, priority="-3").priority == -3


def test_an_aggregate_may_say_the_priority_of_all_its_host_has() -> None:
    host = ComputeHost("compute-1")
    rules = Rules((Aggregate(1, "gold", frozenset({host}), {PRIORITY: "9"}),))
    assert wish_of(Details(), rules.of(host)).priority == 9


@pytest.mark.parametrize(
    ("said", "delay_s"),
    [("delay:30", 30.0), ("active", 0.0), ("delay:", 0.0), ("delay:-3", 0.0), ("delay:9999", 3600)],
)
def test_when_an_instance_counts_as_up(said: str, delay_s: float) -> None:
    assert wish(ready=said).delay_s == delay_s


def test_names_are_parted_by_blanks_or_commas() -> None:
    assert wish(after=" db-1, db-2  cache ").after == {"db-1", "db-2", "cache"}
    assert wish(after=" ").after == frozenset()


def test_important_ones_go_first_then_those_that_failed_least_then_the_largest() -> None:
    def ranked(name: str, ram_mib: int, priority: int, failures: int) -> object:
        server = Server(ServerId(name), name, "", Details(flavor=Flavor(ram_mib=ram_mib)))
        return rank(server, Wish(priority), failures)

    rows = [("c", 4, 0, 1), ("b", 4, 0, 0), ("d", 9, 0, 0), ("a", 1, 5, 3), ("aa", 4, 0, 0)]
    ordered = sorted(rows, key=lambda row: ranked(*row))  # type: ignore[arg-type,return-value]
    assert [row[0] for row in ordered] == ["a", "d", "aa", "b", "c"]


def member(name: str, after: str = "", up_s: float | None = None, delay_s: float = 0.0) -> Member:
    said = Wish(after=frozenset(after.split()), delay_s=delay_s)
    return Member(ServerId(f"id-{name}"), name, "p-1", said, up_s)


def waiting(*members: Member, now_s: float = NOW_S) -> dict[str, tuple[str, ...]]:
    return {str(id_): told for id_, told in waits(members, now_s).waiting.items()}


def test_an_instance_waits_for_those_that_it_names_by_name_or_id_until_they_are_up() -> None:
    db, web = member("db"), member("web", "db")
    assert waiting(db, web) == {"id-web": ("db",)}
    assert waiting(db, member("web", "id-db")) == {"id-web": ("db",)}
    assert waiting(member("db", up_s=NOW_S), web) == {}


def test_what_is_not_among_those_that_failed_is_not_waited_for() -> None:
    assert waiting(member("web", "elsewhere web")) == {}


def test_a_name_in_another_project_is_another_instance() -> None:
    other = Member(ServerId("id-db"), "db", "p-2")
    assert waiting(other, member("web", "db")) == {}
    assert waiting(other, member("web", "id-db")) == {"id-web": ("db",)}


def test_an_instance_counts_as_up_when_its_delay_has_passed() -> None:
    db, web = member("db", up_s=NOW_S, delay_s=30.0), member("web", "db")
    assert waiting(db, web, now_s=NOW_S + 29) == {"id-web": ("db",)}
    assert waiting(db, web, now_s=NOW_S + 30) == {}


def test_a_circle_is_found_and_its_instances_wait_only_for_others() -> None:
    ring = (member("a", "b db"), member("b", "c"), member("c", "a"), member("d", "a"), member("db"))
    found = waits(ring, NOW_S)
    assert found.cycle == {"id-a", "id-b", "id-c"}
    assert dict(found.waiting) == {"id-a": ("db",), "id-d": ("a",)}


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20),
    st.sets(st.integers(0, 7)),
)
def test_something_can_always_go_whatever_is_said(
    edges: list[tuple[int, int]], up: set[int]
) -> None:
    after = {n: " ".join(f"{to}" for at, to in edges if at == n) for n in range(8)}
    members = [member(str(n), after[n], NOW_S if n in up else None) for n in range(8)]
    left = [m for m in members if m.up_s is None]
    free = [m for m in left if m.id not in waits(members, NOW_S).waiting]
    assert free or not left


@pytest.mark.parametrize(
    ("said", "port"),
    [
        ("tcp:5432", 5432),
        (" tcp:1 ", 1),
        ("tcp:65535", 65535),
        ("tcp:0", 0),
        ("tcp:65536", 0),
        ("tcp:99999", 0),
        ("tcp:123456", 0),
        ("tcp:-1", 0),
        ("tcp:ssh", 0),
        ("tcp:", 0),
        ("tcp:22 23", 0),
        ("udp:53", 0),
        ("tcp:\u0662\u0662", 0),
    ],
)
def test_a_port_is_one_of_tcp_or_as_good_as_not_said_and_then_shown(said: str, port: int) -> None:
    assert wish(ready=said) == Wish(port=port)
    assert (READY in misread(Details(metadata={READY: said}), Rules())) is (port == 0)


@pytest.mark.parametrize("said", ["active", " active ", "delay:30", "delay:0"])
def test_what_is_understood_is_not_shown_as_misread(said: str) -> None:
    details = Details(metadata={READY: said, PRIORITY: "-3"})
    assert misread(details, Rules()) == ""


def test_a_priority_that_is_no_number_is_shown_and_not_all_of_it_when_it_is_long() -> None:
    text = misread(Details(metadata={PRIORITY: "high" * 100}), Rules())
    assert text.startswith("nova_ha:priority='highhigh")
    assert len(text) < 120


def listening(up_s: float | None, *, answers: bool = False, at: tuple[str, ...] = ("a",)) -> Member:
    wish = Wish(port=5432)
    return Member(ServerId("db"), "db", "", wish, up_s, at, answers)


def test_one_whose_port_is_waited_for_is_up_once_it_answers_and_is_tried_once_it_is_there() -> None:
    web = Member(ServerId("web"), "web", "", Wish(after=frozenset({"db"})))
    target = (Target(ServerId("db"), 5432, ("a",)),)
    seen = {
        name: waits((web, db), NOW_S)
        for name, db in {
            "moving": listening(None),
            "silent": listening(NOW_S - 60.0),
            "nowhere": listening(NOW_S - 60.0, at=()),
            "answers": listening(NOW_S, answers=True),
        }.items()
    }
    waiting = {name: bool(told.waiting) for name, told in seen.items()}
    assert waiting == {"moving": True, "silent": True, "nowhere": True, "answers": False}
    tried = {name: told.silent for name, told in seen.items()}
    assert tried == {"moving": (), "silent": target, "nowhere": (), "answers": ()}
    assert waits((listening(NOW_S),), NOW_S).silent == (), "nobody waits for it"
