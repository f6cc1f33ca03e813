"""L6: what a person has set is left as it was found, or as the person set it meanwhile."""

from dataclasses import replace

from recoveries import assert_recovered, host, process, world


def test_each_host_is_given_back_as_the_operator_had_left_it() -> None:
    it = world(1, 1, 1)
    for name, changes in {
        "compute-0": {"enabled": False, "disabled_reason": "broken fan"},
        "compute-1": {"forced_down": True},
    }.items():
        it.services[host(name)] = replace(it.services[host(name)], **changes)  # type: ignore[arg-type]
    before = dict(it.services)
    run = process(it)
    for name in ("compute-0", "compute-1", "compute-2"):
        it.fence(name)
    run.run_to_rest()
    assert_recovered(run)
    for name, old in before.items():
        assert it.services[name] == replace(old, heartbeat=it.services[name].heartbeat)


def test_what_an_operator_disables_during_the_recovery_stays_disabled() -> None:
    it = world(2)
    run = process(it)
    it.fence("compute-0")
    run.run(3)
    it.set_enabled(host("compute-0"), enabled=False, reason="mine now")
    run.run_to_rest()
    assert_recovered(run)
    assert it.services[host("compute-0")].disabled_reason == "mine now"


def test_what_an_operator_enables_during_the_recovery_is_enabled_in_the_end() -> None:
    it = world(2)
    it.set_enabled(host("compute-0"), enabled=False, reason="broken fan")
    run = process(it)
    it.fence("compute-0")
    it.later(0.36, lambda: it.set_enabled(host("compute-0"), enabled=True, reason=""))
    run.run_to_rest()
    assert_recovered(run)
    assert it.services[host("compute-0")].enabled
