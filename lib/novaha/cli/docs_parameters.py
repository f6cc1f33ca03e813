"""docs/parameters.md: the parameters of the resource agents, and what the cloud's account needs."""

from collections.abc import Iterable, Iterator

from novaha.ocf.spec import AgentSpec
from novaha.params import as_text
from novaha.specs import nova_compute_unfence, nova_evacuate

_DRAWN = (
    "<!-- Drawn by `nova-ha docs` from lib/novaha/specs/ and"
    " lib/novaha/cli/docs_parameters.py: change it there. -->"
)
_HOW = """\
In an inventory they are said under `evacuate` and `unfence` ([cib.md](cib.md)), in a cluster that
runs with `pcs resource update nova-evacuate NAME=VALUE`: Pacemaker then restarts the agent; a
recovery that is under way goes on, and sends nothing new for 30 s. Those of the storm brake are in
[storm-brake.md](storm-brake.md). `validate-all` and `nova-ha cib check` complain of wrong ones."""

_ACCOUNT = """\
The account of the cloud in `clouds.yaml` needs what an administrator may do in Nova's and
Placement's default policy. It is asked for this and nothing else:"""

NEEDS: tuple[tuple[str, str], ...] = (
    ("always", "`GET /os-services`, `PUT /os-services/ID` (force down, disable, enable)"),
    ("always", "`GET /servers` and `/servers/detail` of all projects, `GET /os-migrations`"),
    ("always", "`evacuate`, and `os-resetState` where an instance is in a state Nova would refuse"),
    ("always", "`GET /os-aggregates`, `GET /os-server-groups` of all projects"),
    (
        "always",
        "Placement: `GET /allocation_candidates`, `/resource_providers`; else no forecast",
    ),
    ("reserved hosts", "`POST /os-aggregates/ID/action` (set_metadata, add_host, remove_host)"),
    ("`phases=two`", "`GET /servers/ID/os-instance-actions`, `os-start`"),
    ("`nova-ha drain`", "`os-migrateLive`"),
    (
        "`canary`",
        "`POST /servers` with a host, `DELETE /servers/ID`; Placement: traits of a provider",
    ),
)
"""(what for, which requests)."""


def parameters_page() -> str:
    """Return docs/parameters.md."""
    parts: tuple[Iterable[str], ...] = (
        (_DRAWN, "# Parameters, and what the account of the cloud needs", "", _HOW, ""),
        *map(_of_agent, (nova_evacuate.SPEC, nova_compute_unfence.SPEC)),
        ("## The account", "", _ACCOUNT, "", "| for | request |", "| --- | --- |"),
        (f"| {what} | {requests} |" for what, requests in NEEDS),
        ("",),
    )
    return "\n".join(line for part in parts for line in part)


def _of_agent(spec: AgentSpec) -> Iterator[str]:
    yield from (f"## {spec.name}", "", "| parameter | type | default | what it says |")
    yield "| --- | --- | --- | --- |"
    for param in spec.params:
        default = "required" if param.required else as_text(param.default) or "none"
        says = f"{param.shortdesc}. {param.longdesc}".replace("|", "\\|")
        yield f"| `{param.name}` | {param.type} | {default} | {says} |"
    yield ""
