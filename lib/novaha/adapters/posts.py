"""Requests on the wire, each in a thread of its own, so that a slow one stalls nothing."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue

from novaha.core.actions import Request
from novaha.ports import PostResult


class ThreadedPosts:
    """A pool of senders.

    post: sends one request and raises what went wrong. notify: called from the sender's thread
    when something did. What Nova accepted is followed by other means, and taken with the next look.
    """

    def __init__(
        self, post: Callable[[Request], None], notify: Callable[[], None], senders: int
    ) -> None:
        """Start no thread yet; the pool makes them when they are needed."""
        self._post = post
        self._notify = notify
        self._pool = ThreadPoolExecutor(senders, thread_name_prefix="post")
        self._results: SimpleQueue[PostResult] = SimpleQueue()

    def send(self, request: Request) -> None:
        """Hand a request to a sender."""
        future = self._pool.submit(self._post, request)
        future.add_done_callback(lambda done: self._ended(request, done))

    def results(self) -> list[PostResult]:
        """Return, once, what ended since the last call."""
        out = []
        while True:
            try:
                out.append(self._results.get_nowait())
            except Empty:
                return out

    def _ended(self, request: Request, done: "Future[None]") -> None:
        error = done.exception()
        if error is not None and not isinstance(error, Exception):
            error = RuntimeError(f"the sender ended: {error!r}")  # neither accepted nor refused
        self._results.put(PostResult(request, error))
        if error is not None:
            self._notify()
