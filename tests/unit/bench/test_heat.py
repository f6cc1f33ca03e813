from typing import Any, cast

from race import heat, search
from race.contender import Contender
from race.contenders import made
from race.driven import Floor
from race.lineup import NAMES
from race.plan import Heat
from race.stage import Stage
from testcloud.errors import ClusterError
from testcloud.settings import Settings


class EmptyStage:
    """A stage on which nothing runs."""

    settings = Settings()
    victim = "compute-1"

    def controller(self) -> str:
        return "controller-3"

    def seed(self, instances: int) -> tuple[object, ...]:
        return (object(),) * instances


class Lame:
    """A contender that cannot be started."""

    left = False

    def ready(self, servers: object) -> None:
        assert servers
        msg = "no package index answers"
        raise ClusterError(msg)

    def leave(self) -> None:
        self.left = True


def stage() -> Stage:
    return cast("Stage", EmptyStage())


def test_a_contender_that_cannot_start_is_a_result_with_the_reason_and_no_number() -> None:
    lame: Any = Lame()
    result = heat.run(stage(), Heat(4, 1, "masakari"), cast("Contender", lame))
    assert (result.contender, result.problem) == ("masakari", "no package index answers")
    assert (result.active_s, result.over_s, result.cost) == ((), None, None)
    assert not result.complete
    assert lame.left


def test_everyone_of_the_line_up_can_be_made_and_asks_from_an_address_of_its_own_side() -> None:
    clients = {name: made(stage(), name, 4).clients for name in NAMES}
    assert clients["floor"] == clients["classic"] == ("172.29.77.13",)
    assert len(clients["nova-ha"]) == 3
    assert clients["masakari"] == clients["masakari-tuned"] == ("172.29.77.30",)


def test_a_heat_of_the_search_is_the_floor_with_its_number() -> None:
    name = next(search.heats(20)).contender
    floor = made(stage(), name, 1)
    assert isinstance(floor, Floor)
    assert floor.settings()["evacuations in flight"] == 1


def test_a_larger_host_is_waited_for_longer() -> None:
    assert heat.timeout_s(200) > heat.timeout_s(20) > 300
