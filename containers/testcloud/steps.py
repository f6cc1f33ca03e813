"""Telling a person what is being done and how long each step took."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_PRINTING = threading.Lock()


def say(text: str) -> None:
    """Print one whole line to standard error, whatever other threads print."""
    with _PRINTING:
        print(text, file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Report a step when it ends, with its duration; when it takes long, its start too."""
    started = time.monotonic()
    hint = threading.Timer(3.0, say, args=(f"  ...      {what}",))
    hint.daemon = True
    hint.start()
    try:
        yield
    except BaseException:
        say(f"  FAILED   {what} after {time.monotonic() - started:.1f} s")
        raise
    finally:
        hint.cancel()
    say(f"  {time.monotonic() - started:6.1f} s {what}")


def in_parallel(jobs: Sequence[Callable[[], object]], at_once: int = 8) -> None:
    """Run all jobs in threads, wait for all, then raise the first failure if there was one."""
    if not jobs:
        return
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        futures = [pool.submit(job) for job in jobs]
    for future in futures:
        future.result()
