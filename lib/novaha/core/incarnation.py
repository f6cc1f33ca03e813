"""One life of a node: what lies between two starts of its connection to the cluster."""

import re
from dataclasses import dataclass
from hashlib import blake2s

_NONE, _UNKNOWN = "-", "?"
_TEXT = re.compile(r"-|[0-9a-f]{8}(,[0-9a-f]{8})*")


@dataclass(frozen=True)
class Incarnation:
    """The starts of a node's connection that the CIB shows, a digest of each one's transition key.

    A key is new for every operation Pacemaker runs, so no clock is needed to tell two lives apart.
    Each controller keeps the last start it did itself; a connection that was moved has several.
    """

    starts: frozenset[str] = frozenset()

    @staticmethod
    def of(transition_keys: frozenset[str]) -> "Incarnation":
        """Return the incarnation that Pacemaker's keys of successful starts stand for."""
        return Incarnation(frozenset(_digest(key) for key in transition_keys))

    def joined_since(self, before: "Incarnation") -> bool:
        """Tell whether the node was connected anew after the other was read; stops do not count."""
        return not self.starts <= before.starts

    def to_text(self) -> str:
        """Return one word."""
        return ",".join(sorted(self.starts)) or _NONE


def text_of(life: Incarnation | None) -> str:
    """Return one word for an incarnation, known or not."""
    return _UNKNOWN if life is None else life.to_text()


def parse_incarnation(text: str) -> Incarnation | None:
    """Read a word of `text_of` back; raises ValueError."""
    if text == _UNKNOWN:
        return None
    if not _TEXT.fullmatch(text):
        msg = f"{text[:80]!r} is no incarnation"
        raise ValueError(msg)
    return Incarnation(frozenset(() if text == _NONE else text.split(",")))


def _digest(key: str) -> str:
    return blake2s(key.encode(), digest_size=4).hexdigest()
