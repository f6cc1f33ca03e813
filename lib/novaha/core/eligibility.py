"""Whether an instance may be evacuated at all, and if not, why."""

from dataclasses import dataclass

from novaha.core.details import Details
from novaha.core.disks import MAY_LOSE, Local, Loss, consent_of, unconsented
from novaha.core.model import Server
from novaha.core.order import misread
from novaha.core.policy import Policy
from novaha.core.protection import protection
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.serverstates import Step, rule_of, told


@dataclass(frozen=True)
class Kept:
    """Why an instance is not evacuated; lets_go: its host may start nova-compute all the same."""

    reason: Reason
    text: str
    lets_go: bool = True


def kept(server: Server, details: Details, rules: Rules, policy: Policy) -> Kept | None:
    """Return why an instance is not evacuated, None where it is; rules: those of its host.

    What may run elsewhere comes first, protected or not: its host must not start it again.
    """
    rule = rule_of(details)
    if rule.step is Step.UNSAFE:
        return Kept(Reason.UNSAFE, f"is {told(details)}: {rule.ends}", lets_go=False)
    protected = protection(server.name, details, rules, policy)
    if not protected.protected:
        return Kept(Reason.UNPROTECTED, f"is not protected: {protected.why}")
    if rule.step is Step.STAY:
        return Kept(Reason.STAYS, f"is {told(details)}: {rule.ends}")
    local = unconsented(details, rules, policy)
    return None if local is None else Kept(Reason.LOCAL_DISK, _waits(server, local))


def _waits(server: Server, local: Local) -> str:
    lost = _LOST[local.loss]
    command = f"openstack server set --property {MAY_LOSE}={local.loss} {server.id}"
    return f"waits for its host, for an evacuation would lose {lost} ({local.why}): {command}"


_LOST = {
    Loss.ROOT: "all its data, built again from its image",
    Loss.EPHEMERAL: "its swap and ephemeral disks",
}


def misunderstood(server: Server, details: Details, rules: Rules, policy: Policy) -> str:
    """Return what is said of an instance that cannot be understood, "" where all of it can."""
    wrong = (
        protection(server.name, details, rules, policy).wrong,
        consent_of(details, rules)[1],
        misread(details, rules),
    )
    return "; ".join(filter(None, wrong))


def needs_reset(details: Details) -> bool:
    """Tell whether Nova evacuates it only once its state was reset."""
    return rule_of(details).step is Step.RESET
