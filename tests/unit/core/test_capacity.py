"""Whether the hosts that are left have room for what failed."""

from hypothesis import given
from hypothesis import strategies as st
from novaha.core.capacity import Need, Room, need_of, without_room
from novaha.core.details import Details, Flavor

FLAVOR = Flavor("m1", vcpus=2, ram_mib=2048, disk_gib=20, ephemeral_gib=5, swap_mib=1500)


def test_an_instance_takes_what_its_flavor_says_and_no_root_disk_if_that_is_a_volume() -> None:
    assert need_of(Details(image="i-1", flavor=FLAVOR)) == Need(2, 2048, 27)
    assert need_of(Details(flavor=FLAVOR)) == Need(2, 2048, 7)


def test_processors_of_ones_own_are_not_among_those_that_are_shared() -> None:
    own = Flavor("m1", vcpus=2, ram_mib=1, specs={"hw:cpu_policy": "dedicated"})
    assert need_of(Details(flavor=own)) == Need(0, 1, 0)


def test_the_last_ones_find_no_room_and_smaller_ones_behind_them_still_may() -> None:
    rooms = (Room("a", 8, 4096, 100), Room("b", 8, 2048, 100))
    large, small = Need(1, 2048, 10), Need(1, 512, 10)
    assert without_room((large,) * 3, rooms) == ()
    assert without_room((large,) * 4, rooms) == (3,)
    assert without_room((large, large, small, large, large, small), rooms) == (3, 4)


def test_a_host_without_disk_to_give_has_its_disks_elsewhere() -> None:
    assert without_room((Need(1, 1, 50),), (Room("a", 1, 1, None),)) == ()
    assert without_room((Need(1, 1, 50),), (Room("a", 1, 1, 49),)) == (0,)


def test_without_any_host_nothing_has_room() -> None:
    assert without_room((Need(1, 1, 1),) * 2, ()) == (0, 1)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), max_size=8),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=4),
)
def test_what_is_placed_never_takes_more_than_there_is(
    needs: list[tuple[int, int]], rooms: list[tuple[int, int]]
) -> None:
    wanted = tuple(Need(vcpus, ram, 0) for vcpus, ram in needs)
    free = tuple(Room(str(n), vcpus, ram) for n, (vcpus, ram) in enumerate(rooms))
    lacking = without_room(wanted, free)
    placed = [need for n, need in enumerate(wanted) if n not in lacking]
    assert sum(need.ram_mib for need in placed) <= sum(room.ram_mib for room in free)
    assert sum(need.vcpus for need in placed) <= sum(room.vcpus for room in free)
    for n in lacking[:1]:
        before = sum(need.ram_mib for need in wanted[:n])
        assert not free or before + wanted[n].ram_mib > 0
