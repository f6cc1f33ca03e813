"""The ids of what we put into the CIB: fixed ones, and those made of names that a person gives."""

OWN_DEVICE, GATE_DEVICE = "fence-nova", "fence-nova-gate"
EVACUATE, UNFENCE, COMPUTE = "nova-evacuate", "nova-compute-unfence", "nova-compute"
ALERT = "nova-ha-alert"
CLONES = UNFENCE_CLONE, COMPUTE_CLONE = (f"{UNFENCE}-clone", f"{COMPUTE}-clone")

FIXED = frozenset({OWN_DEVICE, GATE_DEVICE, EVACUATE, UNFENCE, COMPUTE, ALERT, *CLONES})


def device_id(kind: str, node: str | None) -> str:
    """Return the id of a fence device of a kind; node: None where one device fences all nodes."""
    return f"fence-{kind}" if node is None else f"fence-{kind}-{node}"


def is_ours(id_: str) -> bool:
    """Tell whether an id is one of our own; a gate's begins like the gate and has its groups."""
    return id_ in FIXED or id_.startswith(f"{GATE_DEVICE}.")
