"""Asking Nova what has to be known to explain something, and changing nothing."""

from dataclasses import replace

from novaha.app.apply import ask
from novaha.core.explain import questions_for
from novaha.core.model import View
from novaha.core.policy import Policy
from novaha.ports import Clock, CloudReader


def look(view: View, policy: Policy, subject: str | None, cloud: CloudReader, clock: Clock) -> View:
    """Return the view with all that Nova tells about a subject (None: about all that is open).

    What got no answer is not asked again: core/silence.py then says why (`unknown`).
    """
    answered: set[object] = set()
    while view.memory.trouble is None:
        wanted = questions_for(view, policy, subject)
        asked = tuple(question for question in wanted if question not in answered)
        if not asked:
            break
        answered.update(asked)
        memory = ask(view.memory, asked, cloud, clock)
        view = replace(view, memory=memory, now_s=clock.monotonic_s())
    return view
