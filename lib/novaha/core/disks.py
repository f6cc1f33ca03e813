"""What an evacuation loses of an instance's disks, and whether anybody has consented to that.

Where a host's disks are its own, Nova builds an image-booted instance again from its image, and the
swap and ephemeral disks of every instance are made anew, empty; it says nothing of it.
Source: nova/compute/manager.py (rebuild_instance), 34.0.
"""

from enum import StrEnum
from typing import NamedTuple

from novaha.core.details import Details
from novaha.core.policy import Policy
from novaha.core.rules import Rules, Said, nearest
from novaha.core.segments import PREFIX, STORAGE
from novaha.core.storage import Storage

MAY_LOSE = f"{PREFIX}may_lose"


class Loss(StrEnum):
    """How much of an instance's disks is lost, or may be."""

    NOTHING = "nothing"
    EPHEMERAL = "ephemeral"
    ROOT = "root"


GRADES = tuple(Loss)
"""In the order of what is lost; who consents to more consents to less."""

MEANINGS = {
    Loss.NOTHING: "it waits for its host where anything would be lost (where nothing is said)",
    Loss.EPHEMERAL: "its swap and ephemeral disks, which are made anew, empty",
    Loss.ROOT: "all that is on its host's disks: it is built again from its image",
}
"""What consent to each means: for the reference."""


class Local(NamedTuple):
    """What an evacuation would lose without consent, and who says that disks are local."""

    loss: Loss
    why: str


def unconsented(details: Details, rules: Rules, policy: Policy) -> Local | None:
    """Return what would be lost that nobody may lose, or None; rules: those of its host."""
    loss = loss_of(details)
    if loss is Loss.NOTHING:
        return None
    storage, why = storage_of(rules, policy)
    if storage is Storage.SHARED:
        return None
    consent, _ = consent_of(details, rules)
    return Local(loss, why) if GRADES.index(loss) > GRADES.index(consent) else None


def loss_of(details: Details) -> Loss:
    """Return what of an instance is on its host's disks where these are its own."""
    if details.image:
        return Loss.ROOT
    flavor = details.flavor
    return Loss.EPHEMERAL if flavor.ephemeral_gib or flavor.swap_mib else Loss.NOTHING


def storage_of(rules: Rules, policy: Policy) -> tuple[Storage, str]:
    """Return what storage a host has, and who says so.

    An unknown word, or two aggregates that contradict each other, count as local: the other guess
    would lose data.
    """
    sayings = nearest(STORAGE, Details(), rules)
    if not sayings:
        return policy.storage, f"NovaEvacuate says storage={policy.storage}"
    why = " and ".join(f"{said.where} says {STORAGE}={said.value}" for said in sayings)
    shared = {said.value for said in sayings} == {Storage.SHARED}
    return Storage.SHARED if shared else Storage.LOCAL, why


def consent_of(details: Details, rules: Rules) -> tuple[Loss, str]:
    """Return what may be lost, the least that is said nearest, and what nobody understands."""
    sayings = nearest(MAY_LOSE, details, rules)
    grades = [GRADES.index(grade) for said in sayings if (grade := _grade(said)) is not None]
    wrong = [said for said in sayings if _grade(said) is None]
    if not sayings or wrong:
        return Loss.NOTHING, "; ".join(map(_complaint, wrong))
    return GRADES[min(grades)], ""


def _grade(said: Said) -> Loss | None:
    word = said.value.lower()
    return Loss(word) if word in set(Loss) else None


def _complaint(said: Said) -> str:
    words = ", ".join(GRADES)
    return f"{said.where} says {MAY_LOSE}={said.value}, none of {words}: it counts as nothing"
