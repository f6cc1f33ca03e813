"""What is run, and in which order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SIZE = re.compile(r"(\d+)x(\d+)")


@dataclass(frozen=True)
class Size:
    """How many instances the lost host has, and how often every contender has its turn."""

    instances: int
    rounds: int


@dataclass(frozen=True)
class Heat:
    """One contender, once; rounds count from 1."""

    instances: int
    round: int
    contender: str


def parse(text: str) -> tuple[Size, ...]:
    """Return the sizes of a plan such as `20x5,200x2`; raises ValueError for any other text."""
    sizes = []
    for part in text.split(","):
        match = _SIZE.fullmatch(part.strip())
        if not match or "0" in {match[1].lstrip("0") or "0", match[2].lstrip("0") or "0"}:
            msg = f"{part.strip()!r} is not INSTANCESxROUNDS, such as 20x5"
            raise ValueError(msg)
        sizes.append(Size(int(match[1]), int(match[2])))
    return tuple(sizes)


def heats(sizes: Sequence[Size], contenders: Sequence[str]) -> Iterator[Heat]:
    """Yield all heats; each round begins with the next contender, so that none is always first."""
    for size in sizes:
        for number in range(size.rounds):
            first = number % len(contenders)
            for name in (*contenders[first:], *contenders[:first]):
                yield Heat(size.instances, number + 1, name)
