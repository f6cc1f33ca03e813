"""What Nova's words say about instances that were left stopped."""

import pytest
from novaha.adapters.starts import is_active, is_too_old, stopped_since


@pytest.mark.parametrize(
    ("actions", "stopped"),
    [
        ((), False),
        (("evacuate", "create"), False),
        (("stop", "start", "evacuate", "create"), True),
        (("start", "evacuate", "stop", "create"), False),
        (("lock", "stop", "evacuate"), True),
        (("start", "stop", "start", "evacuate"), True),
    ],
)
def test_only_a_stop_after_the_newest_evacuation_counts(
    actions: tuple[str, ...], *, stopped: bool
) -> None:
    assert stopped_since(actions) is stopped


def test_the_refusals_of_nova_are_told_apart() -> None:
    old = (
        "Starting with microversion 2.95, evacuate API will stop instance on destination. To"
        " evacuate before upgrades are complete please use an older microversion. Required version"
        " for compute 62, current version 61 (400)"
    )
    pinned = "Unsupported RPC version for rebuild_instance. Required >= 1.25 (409)"
    assert is_too_old(old)
    assert is_too_old(pinned)
    assert not is_too_old("Compute service of compute-1 is still in use. (400)")
    assert is_active("Cannot 'start' instance a while it is in vm_state active (409)")
    assert not is_active("Cannot 'start' instance a while it is in vm_state error (409)")
