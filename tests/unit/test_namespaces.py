"""What the cluster's containers are known by: a process that is not mistaken for a later one."""

import os
import subprocess
import sys

from testcloud.namespaces import environ_of, process


def test_a_process_is_known_until_it_ends() -> None:
    with subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE) as child:
        first = process(child.pid)
        assert first is not None
        assert process(child.pid) == first
        child.kill()
        # Dead, and not yet waited for: its pid is still there, and it does nothing any more.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process(child.pid) is None
    assert process(child.pid) is None
    assert environ_of(child.pid) is None


def test_two_processes_of_one_pid_would_differ_by_when_they_began() -> None:
    begun = process(os.getpid())
    assert begun is not None
    assert begun.pid == os.getpid()
    assert begun.began_ticks > 0


def test_the_environment_is_the_one_it_began_with() -> None:
    told = {"PATH": "/nowhere", "EQUALS": "a=b", "EMPTY": ""}
    argv = (sys.executable, "-c", "print('up', flush=True); input()")
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=told) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = environ_of(child.pid)
        child.kill()
    assert found == told
