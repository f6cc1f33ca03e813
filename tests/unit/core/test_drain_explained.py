"""What is told of a drained host: by the process, and by one who only looks on."""

from dataclasses import replace

import pytest
from drains import DRAIN, OURS, POLICY, decided, drained, held, known
from novaha.core.actions import AskLiveMigrations, AskServers, AskServices, Hold
from novaha.core.drain import Health
from novaha.core.explain import explain, onlooker, overview, questions_for, say
from novaha.core.model import ClusterView
from novaha.core.reasons import Reason
from novaha.core.states import RecoveryState
from novaha.core.unshown import unshown
from worlds import HOST, NODE, NOW_S, memory, server, service, view


def test_who_looks_on_asks_what_it_takes_and_tells_how_far_it_is() -> None:
    seen = view(drained(), onlooker(drained(), POLICY, NOW_S, 0.0))
    assert questions_for(seen, POLICY, NODE) == (AskServices(),)
    services = replace(seen.memory, services=known().services)
    asked = questions_for(replace(seen, memory=services), POLICY, NODE)
    assert {AskServers(HOST, details=True), AskLiveMigrations(HOST)} <= set(asked)
    assert set(asked) == set(questions_for(replace(seen, memory=services), POLICY, None))
    told = explain(view(drained(), known(server(1))), POLICY, NODE)
    assert {hold.reason for hold in told.waits} == {Reason.DRAINING}
    assert [type(action).__name__ for action in told.actions] == ["LiveMigrate"]


def test_what_the_process_said_counts() -> None:
    seen = view(drained(), known())
    holds = tuple(d for d in decided(drained(), known()) if isinstance(d, Hold))
    said = say(seen, POLICY, holds)
    assert said.states == ((NODE, RecoveryState.OVER),)
    onlookers = view(drained(), memory(services=(service(**OURS),)))
    assert {h.reason for h in explain(onlookers, POLICY, NODE, said).waits} == {Reason.DRAINED}


@pytest.mark.parametrize(
    "of",
    [
        drained(),
        drained(drains=(), withdrawn=(), health={NODE: Health.YELLOW}),
        drained(drains=(), withdrawn=(), standby=frozenset({NODE})),
        drained(drains=()),
    ],
)
def test_the_overview_has_each_node_that_serves_less(of: ClusterView) -> None:
    assert [told.node for told in overview(view(of, known(server(1))), POLICY)] == [NODE]


def test_silence_about_a_drain_is_seen() -> None:
    seen = view(drained(), known(server(1)))
    assert unshown(seen, POLICY, ()) == (NODE,)
    for subject in (NODE, HOST, server(1).id, "nova"):
        assert unshown(seen, POLICY, (Hold(subject, Reason.DRAINING, "x"),)) == ()
    assert unshown(view(drained(drains=(), withdrawn=()), known()), POLICY, ()) == ()


def test_every_word_says_who_wants_it() -> None:
    assert held(decided(drained(), known()))[Reason.DRAINED].startswith(f"drained by {DRAIN.by}: ")
