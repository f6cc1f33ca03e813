"""Requests on the wire: sending never waits, and each has exactly one end."""

import threading
from collections.abc import Callable

import pytest
from novaha.adapters.posts import ThreadedPosts
from novaha.core.actions import Evacuate, Request
from novaha.core.names import ComputeHost, ServerId
from novaha.errors import CloudRefused, CloudUnavailable
from novaha.ports import PostResult
from testcloud.waiting import until

WAIT_S = 10.0


def evacuate(number: int) -> Evacuate:
    return Evacuate(ServerId(f"vm-{number}"), ComputeHost("compute-1"))


class Sending:
    """A pool whose results are waited for; notified: how often it says that one is there."""

    def __init__(self, post: Callable[[Request], None], senders: int = 4) -> None:
        self.notified = 0
        self.posts = ThreadedPosts(post, self._notify, senders)

    def _notify(self) -> None:
        self.notified += 1

    def results(self, count: int) -> list[PostResult]:
        found: list[PostResult] = []

        def all_there() -> bool:
            found.extend(self.posts.results())
            return len(found) >= count

        until(f"{count} results", all_there, WAIT_S, 0.005)
        return found


def test_an_accepted_request_ends_once_without_an_error_and_wakes_nobody() -> None:
    sending = Sending(lambda _: None)
    sending.posts.send(evacuate(1))
    assert sending.results(1) == [PostResult(evacuate(1), None)]
    assert sending.posts.results() == []
    assert sending.notified == 0


@pytest.mark.parametrize(
    "error", [CloudRefused("no", 409), CloudUnavailable("503"), AttributeError("bug")]
)
def test_an_error_is_the_result_of_its_request(error: Exception) -> None:
    def post(_: Request) -> None:
        raise error

    sending = Sending(post)
    sending.posts.send(evacuate(1))
    assert sending.results(1) == [PostResult(evacuate(1), error)]
    until("the caller to be woken", lambda: sending.notified == 1, WAIT_S, 0.005)


def test_a_sender_that_ends_in_another_way_is_never_an_acceptance() -> None:
    def post(_: Request) -> None:
        raise SystemExit

    sending = Sending(post)
    sending.posts.send(evacuate(1))
    (result,) = sending.results(1)
    assert isinstance(result.error, RuntimeError)


def test_a_slow_request_keeps_neither_the_caller_nor_the_others_waiting() -> None:
    gate = threading.Event()

    def post(of: Request) -> None:
        if of == evacuate(1):
            assert gate.wait(WAIT_S)

    sending = Sending(post, senders=2)
    sending.posts.send(evacuate(1))
    sending.posts.send(evacuate(2))
    assert sending.results(1) == [PostResult(evacuate(2), None)]
    gate.set()
    assert sending.results(1) == [PostResult(evacuate(1), None)]
