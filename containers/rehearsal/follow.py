"""Follow a lost host through Pacemaker and Nova until its story has ended."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.rest import ApiError
from testcloud.waiting import until

from .pacemaker import Watch, look
from .story import Story

_NOVA_INTERVAL_S = 0.5


def begin(cluster: Cluster, cloud: CloudCtl, host: str) -> Story:
    """Return the story of a host that is about to be lost, with the instances it runs now."""
    victims = {s.id: s.name for s in cloud.servers() if s.host == host}
    fenced_before = look(cluster, cluster.controllers()[-1]).fenced(host)
    return Story(host, victims, time.time(), fenced_before)


@contextmanager
def following(cluster: Cluster, cloud: CloudCtl, story: Story, controller: str) -> Iterator[Story]:
    """Feed a story from two threads while the block runs; the controller must stay alive."""
    stop = threading.Event()
    nova = threading.Thread(target=_follow_nova, args=(cloud, story, stop), daemon=True)
    with Watch(cluster, controller, story.saw_pacemaker):
        nova.start()
        try:
            yield story
        finally:
            stop.set()
            nova.join()


def wait_for(
    what: str, probe: Callable[[], bool], timeout_s: float, story: Story | None = None
) -> None:
    """Wait for a condition of a story; a failure shows the timeline so far."""
    try:
        until(what, probe, timeout_s, 0.1)
    except Exception as error:
        if story is not None:
            error.add_note("seen so far:\n" + story.timeline())
        raise


def _follow_nova(cloud: CloudCtl, story: Story, stop: threading.Event) -> None:
    while not stop.wait(_NOVA_INTERVAL_S):
        try:
            _look_at_nova(cloud, story)
        except ApiError:
            # Nova may be down on purpose; what it does not say is not seen.
            continue


def _look_at_nova(cloud: CloudCtl, story: Story) -> None:
    service = next((s for s in cloud.services() if s.host == story.host), None)
    if service is not None:
        story.saw_service(time.time(), service)
    story.saw_migrations(time.time(), cloud.migrations(source=story.host))
    if not story.recovered():
        story.saw_servers(time.time(), cloud.servers())
