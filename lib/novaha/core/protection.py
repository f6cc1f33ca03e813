"""Who is protected: evacuated when its host is lost, and waited for before that host is released.

What is said nearest to an instance counts (core/rules.py), and where nothing is said, the agent's
parameter `protect`. What cannot be understood never leaves an instance behind.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from novaha.core.details import Details
from novaha.core.order import HA_ENABLED, ha_enabled
from novaha.core.policy import Policy
from novaha.core.rules import Place, Rules, Said, nearest, sayings
from novaha.core.segments import ENABLED, PREFIX, SEGMENT
from novaha.core.selection import MODES, Mode

PROTECT = f"{PREFIX}protect"

EVACUABLE = "evacuable"
"""The key of the classic agents and of RHOSO InstanceHA, of flavors, images and aggregates."""

_TRUE, _FALSE = "true", "false"

KEYS = (
    (PROTECT, "anywhere", "true or false", "whether it is protected"),
    (HA_ENABLED, "its metadata", "true (Masakari takes yes, on, 1, too)", "it is; else nothing"),
    ("exclude_names", "its name", "", "it is not, where a pattern of the agent's parameter fits"),
    (EVACUABLE, "flavor, image, aggregate", "true", "it is; else nothing"),
    (ENABLED, "an aggregate that is a segment", "false", "it is not; else nothing"),
)
"""Key, where it counts, value, what it says: for the reference, at one place the first counts."""


class Protection(NamedTuple):
    """Whether an instance is protected, who says so, and what was said that nobody understands."""

    protected: bool
    why: str
    wrong: str = ""


class _Word(NamedTuple):
    """What is said otherwise than with our own key."""

    place: Place
    protected: bool
    why: str


def protection(name: str, details: Details, rules: Rules, policy: Policy) -> Protection:
    """Tell whether an instance is protected; rules: those of its host."""
    ours = nearest(PROTECT, details, rules)
    others = _otherwise(name, details, rules, policy)
    other = min(others, key=lambda word: word.place, default=None)
    if ours and (other is None or ours[0].place <= other.place):
        return _with_our_key(ours)
    if other is not None:
        return Protection(other.protected, other.why)
    why = f"NovaEvacuate has protect={policy.protect}: {MODES[policy.protect]}"
    return Protection(policy.protect is Mode.ALL, why)


def _with_our_key(ours: tuple[Said, ...]) -> Protection:
    """Return what is said with our own key: not protected only where all of it is plain."""
    values = {said.value.lower() for said in ours}
    if values in ({_FALSE}, {_TRUE}):
        return Protection(values == {_TRUE}, _told(PROTECT, ours[0]))
    told = " and ".join(_told(PROTECT, said) for said in ours)
    means = "contradicts itself" if values == {_TRUE, _FALSE} else "is not true or false"
    return Protection(True, told, f"{told}, which {means}: it counts as protected")  # noqa: FBT003


def _otherwise(name: str, details: Details, rules: Rules, policy: Policy) -> Iterator[_Word]:
    """Yield what other keys and its name say; of one place the first counts."""
    if ha_enabled(details):
        why = f"its metadata says {HA_ENABLED}={details.metadata[HA_ENABLED]}"
        yield _Word(Place.METADATA, protected=True, why=why)
    for pattern in policy.exclude_names:
        if fnmatchcase(name, pattern):
            why = f"exclude_names of NovaEvacuate has {pattern}, which its name matches"
            yield _Word(Place.NAME, protected=False, why=why)
    for aggregate in rules.aggregates:
        if SEGMENT in aggregate.metadata and aggregate.metadata.get(ENABLED, "").lower() == _FALSE:
            why = f"aggregate {aggregate.name}, a segment, says {ENABLED}=false"
            yield _Word(Place.AGGREGATE, protected=False, why=why)
    for said in sayings(EVACUABLE, details, rules):
        if said.place >= Place.FLAVOR and said.value.lower() == _TRUE:
            yield _Word(said.place, protected=True, why=_told(EVACUABLE, said))


def _told(key: str, said: Said) -> str:
    return f"{said.where} says {key}={said.value}"
