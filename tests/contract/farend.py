"""The real ports, spoken to over standard input and output: the part that runs on a controller.

Each line is a pickled call (port, method, arguments, keywords), each answer a pickled (good, value
or error). Both ends are ours and of the same checkout, so nothing foreign is ever unpickled.

Usage: farend.py PAGE   (how many objects one page of Nova's lists has)
"""

import base64
import copyreg
import pickle
import sys
from typing import Any

from novaha.adapters import nova as adapter
from novaha.adapters.pacemaker import Pacemaker
from novaha.adapters.posts import ThreadedPosts
from novaha.errors import CloudRefused

CLOUD = "nova-ha"
CLOUDS_YAML = "/etc/openstack/clouds.yaml"
TIMEOUT_S = 60.0
SENDERS = 4

Call = tuple[str, str, tuple[Any, ...], dict[str, Any]]


def encode(value: object) -> bytes:
    """Return a line."""
    return base64.b64encode(pickle.dumps(value)) + b"\n"


def decode(line: bytes) -> Any:  # noqa: ANN401
    """Return what a line says."""
    return pickle.loads(base64.b64decode(line))  # noqa: S301  (from our own other end)


def _refused(error: CloudRefused) -> tuple[type[CloudRefused], tuple[str, int]]:
    return CloudRefused, (str(error), error.status)


def main() -> None:
    """Answer calls until there are no more."""
    copyreg.pickle(CloudRefused, _refused)
    adapter.PAGE = int(sys.argv[1])
    nova = adapter.Nova(CLOUD, CLOUDS_YAML, TIMEOUT_S)
    posts = ThreadedPosts(nova.post, lambda: None, SENDERS)
    ports = {"cluster": Pacemaker(), "cloud": nova, "posts": posts}
    for line in sys.stdin.buffer:
        port, method, arguments, keywords = decode(line)
        try:
            answer = (True, getattr(ports[port], method)(*arguments, **keywords))
        except Exception as error:  # noqa: BLE001  (the other end raises it)
            answer = (False, error)
        sys.stdout.buffer.write(encode(answer))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
