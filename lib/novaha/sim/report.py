"""What a simulation came to, as a text that reads like an incident report, or as JSON.

0010.000  cluster   compute-1 crashes
0013.000  fencer    fences compute-1
…
end at 62.5 s: nothing is left to recover
instances
  vm-1        on compute-2, 1 request accepted
services
  compute-1   enabled
still shown
  nothing
violations
  none
"""

import json
from collections.abc import Iterable, Iterator

from novaha.core.model import Service
from novaha.sim.script import seconds
from novaha.sim.spec import Outcome, TraceLine

WHO_WIDTH = 8
NAME_WIDTH = 10


def report(outcome: Outcome) -> str:
    """Return the trace and the summary; the same outcome gives the same bytes."""
    return "\n".join([*map(line_of, outcome.trace), *_summary(outcome)]) + "\n"


def line_of(line: TraceLine) -> str:
    """Return one line of the trace: virtual seconds, who, what."""
    return f"{line.at_s:08.3f}  {line.who:<{WHO_WIDTH}}  {line.text}"


def as_json(outcome: Outcome) -> str:
    """Return the same as one JSON object; times in virtual seconds."""
    content = {
        "trace": [{"at_s": round(t.at_s, 3), "who": t.who, "text": t.text} for t in outcome.trace],
        "ended_s": round(outcome.ended_s, 3),
        "calm": outcome.calm,
        "instances": {
            server: {"host": host, "accepted": outcome.accepted[server]}
            for server, host in outcome.hosts.items()
        },
        "services": {service.host: standing(service) for service in outcome.services},
        "shown": [
            {"subject": hold.subject, "code": hold.reason.code, "text": hold.text}
            for hold in outcome.holds
        ],
        "violations": [
            {"law": v.law, "at_s": round(v.at_s, 3), "text": v.text} for v in outcome.violations
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _summary(outcome: Outcome) -> Iterator[str]:
    rest = "nothing is left to recover, or its rest is shown" if outcome.calm else "not at rest"
    yield f"end at {seconds(round(outcome.ended_s, 1))} s: {rest}"
    placed = [(id_, _placed(host, outcome.accepted[id_])) for id_, host in outcome.hosts.items()]
    yield from _section("instances", placed, "none")
    services = [(service.host, standing(service)) for service in outcome.services]
    yield from _section("services", services, "none")
    shown = [(hold.subject, f"{hold.reason.code}: {hold.text}") for hold in outcome.holds]
    yield from _section("still shown", shown, "nothing")
    broken = [(v.law, f"at {seconds(v.at_s)} s: {v.text}") for v in outcome.violations]
    yield from _section("violations", broken, "none")


SERVES = "enabled"
"""How a service stands that instances are placed on."""


def standing(service: Service) -> str:
    """Return how a service stands, in words."""
    reason = f", {service.disabled_reason}" if service.disabled_reason else ""
    enabled = SERVES if service.enabled else f"disabled{reason}"
    return f"{enabled}, forced down" if service.forced_down else enabled


def _placed(host: str, accepted: int) -> str:
    where = f"on {host}" if host else "deleted"
    return f"{where}, {accepted} {'request' if accepted == 1 else 'requests'} accepted"


def _section(title: str, rows: Iterable[tuple[str, str]], otherwise: str) -> Iterator[str]:
    yield title
    found = [f"  {name:<{NAME_WIDTH}}  {text}" for name, text in rows]
    yield from found or [f"  {otherwise}"]
