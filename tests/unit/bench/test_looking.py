import os
import subprocess

import pytest
from race import counting, load, procs
from race.judge import Judge
from race.load import Load
from race.procs import Process
from testcloud.access_log import Request

ID = "0f0e0d0c-0b0a-0908-0706-050403020100"


def asked(at_s: float, method: str, path: str) -> Request:
    return Request(at_s, "172.29.77.11", method, path, 200)


REQUESTS = (
    asked(12.0, "POST", f"/v2.1/servers/{ID}/action"),
    asked(11.0, "PUT", f"/v2.1/os-services/{ID}"),  # ended later than it began
    asked(13.0, "POST", f"/v2.1/servers/{ID}/action"),
    asked(14.0, "GET", "/v2.1/os-migrations?source_compute=compute-1"),
)


def test_requests_are_counted_until_a_moment() -> None:
    assert counting.count({"nova": REQUESTS, "keystone": ()}, 12.5) == {"nova": 2, "keystone": 0}


def test_kinds_have_no_ids_and_no_queries() -> None:
    assert counting.kinds(REQUESTS, 20.0) == {
        "POST /servers/ID/action": 2,
        "PUT /os-services/ID": 1,
        "GET /os-migrations": 1,
    }


def test_marks_are_seconds_since_the_kill() -> None:
    assert counting.marks(REQUESTS, 10.0) == {
        "service changed": 1.0,
        "first action": 2.0,
        "last action": 3.0,
    }
    assert counting.marks((), 10.0) == {}


def test_an_instance_is_back_when_it_came_back_for_good() -> None:
    judge = Judge("cloud", "compute-1")
    judge.saw(1.0, ["a", "b"])
    judge.saw(2.0, ["a"])
    judge.saw(3.0, ["a", "b"])
    assert judge.back() == {"a": 1.0, "b": 3.0}


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["/usr/bin/python3", "-m", "novaha.daemon", "--cloud=x"], "novaha.daemon"),
        (["/opt/masakari/bin/python3", "/opt/masakari/bin/masakari-api"], "masakari-api"),
        (["nova-api uwsgi worker 1"], "nova-api"),
        (["nova-conductor: worker"], "nova-conductor"),
        (["/usr/sbin/mariadbd", "--no-defaults"], "mariadbd"),
        (["uwsgi", "--http-socket"], "uwsgi"),
        ([""], "(kernel)"),
    ],
)
def test_a_process_is_called_by_what_it_runs(argv: list[str], name: str) -> None:
    assert procs.name_of(argv) == name


def test_cpu_is_what_was_taken_between_two_looks() -> None:
    before = {1: Process("cloud", "nova-api", 1.0, 0.0, 9.0)}
    after = {
        1: Process("cloud", "nova-api", 3.0, 1.0, 10.0),
        2: Process("cloud", "nova-api", 0.5, 0.0, 5.0),
        3: Process("masakari", "masakari-api", 7.0, 0.0, 5.0),
    }
    assert procs.cpu_by_name(before, after, "cloud") == {"nova-api": 2.5}
    assert procs.cpu_of(before, after, "masakari-api") == 7.0
    assert procs.children_cpu_of(before, after, "nova-api") == 1.0
    assert procs.peak_mb_of(after, "nova-api") == 15.0


def test_a_number_that_another_process_has_now_is_new() -> None:
    before = {1: Process("cloud", "sh", 5.0, 0.0, 9.0)}
    after = {1: Process("cloud", "nova-api", 3.0, 0.0, 10.0)}
    assert procs.cpu_of(before, after, "nova-api") == 3.0


def test_this_machine_can_be_looked_at() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        seen = procs.snapshot()
        child.kill()
    assert seen[os.getpid()].peak_mb > 1.0
    assert child.pid in seen


def test_elsewhere_is_all_but_the_containers() -> None:
    before = Load(100.0, {"cloud": 10.0, "compute-1": 5.0})
    after = Load(120.0, {"cloud": 22.0, "compute-1": 1.0})
    assert load.elsewhere_s(before, after) == 8.0
    assert load.elsewhere_s(None, after) is None
