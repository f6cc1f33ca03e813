"""docs/instances.md: what becomes of an instance in each state, from the table that decides it."""

from collections.abc import Iterator

from novaha.core.serverstates import RULES, UNKNOWN, Rule, Step

_HEAD = """\
<!-- Drawn by `nova-ha docs` from lib/novaha/cli/docs_instances.py and core/serverstates.py. -->
# What becomes of an instance

## In each state

Its state is read from Nova before it is evacuated, and again before each new try. The first row
that fits counts; the state that stands there is Nova's `vm_state`, or its `task_state`. A lock
keeps its owner: Nova evacuates what is locked, and it stays locked.

An instance that is not touched is shown by itself (`stays` or `unsafe` in `pcs status` and
`nova-ha explain`), looked at again once a minute, and evacuated as soon as a person has mended its
state. Until then its host is held; once that is back, it is released with what can only go back to
it, but never with what is `unsafe`: nova-compute could start a second copy.

Nova refuses some others for what they are: with a vTPM, with some accelerators, with shares, never
launched. Those are `blocked` with Nova's own words, tried again ever more rarely, and go back to
their host, too.

| vm_state | task_state | is | in the end, or what a person can do |
| --- | --- | --- | --- |"""


def instances_page() -> str:
    """Return docs/instances.md."""
    return "\n".join((_HEAD, *map(_row, RULES), _row(UNKNOWN), "", *_not_listed(), ""))


def _row(rule: Rule) -> str:
    step = f"**{rule.step.value}**" if rule.step is Step.UNSAFE else rule.step.value
    any_other = "any other" if rule is UNKNOWN else "any"
    cells = (_words(rule.vm_states, any_other), _words(rule.task_states, "any"), step, rule.ends)
    return f"| {' | '.join(cells)} |"


def _words(states: tuple[str, ...], otherwise: str) -> str:
    return ", ".join(f"`{state}`" for state in states) or otherwise


def _not_listed() -> Iterator[str]:
    yield "Not on the host, and so not touched: what is shelved and offloaded, and what is being"
    yield "live-migrated *to* the host, which Nova has on its source until it has arrived."
