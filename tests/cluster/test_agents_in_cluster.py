"""The agents as the stock tools see them: real ocf-tester, Pacemaker, pcs and schemas."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from testcloud.cluster import Cluster
from testcloud.docker import File
from testcloud.shell import Result

pytestmark = pytest.mark.cluster

OCF_AGENTS = ("NovaEvacuate", "NovaComputeUnfence")
OCF_FOLDER = "/usr/lib/ocf/resource.d/novaha"
LIBRARY = "/usr/lib/python3/dist-packages/novaha"
STANDIN = Path(__file__).parents[1] / "helpers/standin.py"


@dataclass(frozen=True)
class Bench:
    """A folder on a controller, with a copy of the CIB that the tools take for the real one.

    The recovery process in it is the stand-in, so no test here does anything to the cluster.
    """

    cluster: Cluster
    folder: str

    @property
    def node(self) -> str:
        """The controller."""
        return self.cluster.controllers()[0]

    def run(self, *argv: str, **environ: str) -> Result:
        """Run a command there."""
        settings = {
            "CIB_file": f"{self.folder}/cib.xml",
            "NOVA_HA_RUN_ROOT": f"{self.folder}/run",
            "NOVA_HA_LOG_ROOT": f"{self.folder}/log",
            "OCF_RESOURCE_INSTANCE": "bench",
            "OCF_ROOT": "/usr/lib/ocf",
            "PYTHONPATH": self.folder,
        }
        words = [f"{name}={value}" for name, value in (settings | environ).items()]
        return self.cluster.exec(self.node, ("env", *words, *argv), check=False)


@pytest.fixture(scope="module")
def bench(fake_cluster: Cluster) -> Iterator[Bench]:
    node = fake_cluster.controllers()[0]
    made = fake_cluster.exec(node, ("mktemp", "-d", "/tmp/bench.XXXXXX"))
    bench = Bench(fake_cluster, made.out.strip())
    fake_cluster.exec(node, ("cp", "-r", LIBRARY, bench.folder))
    clouds = b"clouds: {bench: {auth: {password: hunter2}}}\n"
    cib = fake_cluster.exec(node, ("cibadmin", "--query")).out.encode()
    fake_cluster.put(
        node,
        (
            File(f"{bench.folder}/novaha/daemon.py", STANDIN.read_bytes()),
            File(f"{bench.folder}/clouds.yaml", clouds, 0o600),
            File(f"{bench.folder}/cib.xml", cib, 0o600),
        ),
    )
    yield bench
    fake_cluster.exec(node, ("rm", "-rf", bench.folder))


@pytest.mark.parametrize(
    ("agent", "options"),
    [
        (
            "NovaEvacuate",
            ("-o", "cloud=bench", "-o", "clouds_yaml={folder}/clouds.yaml", "-o", "storage=shared"),
        ),
        ("NovaComputeUnfence", ()),
    ],
)
def test_ocf_tester_passes(bench: Bench, agent: str, options: tuple[str, ...]) -> None:
    words = [word.format(folder=bench.folder) for word in options]
    tested = bench.run("ocf-tester", "-n", "bench", *words, f"{OCF_FOLDER}/{agent}")
    assert tested.code == 0, tested.out + tested.err
    assert "passed all tests" in tested.out


@pytest.mark.parametrize("agent", OCF_AGENTS)
@pytest.mark.parametrize(
    "schema",
    [
        ("--relaxng", "/usr/share/pcs/data/ocf-1.1.rng"),
        ("--relaxng", "/usr/share/resource-agents/metadata.rng"),
        ("--dtdvalid", "/usr/share/resource-agents/ra-api-1.dtd"),
    ],
)
def test_metadata_is_valid(bench: Bench, agent: str, schema: tuple[str, str]) -> None:
    script = f"{OCF_FOLDER}/{agent} meta-data | xmllint --nonet --noout {' '.join(schema)} -"
    checked = bench.run("sh", "-c", script)
    assert checked.code == 0, checked.err


def test_fence_metadata_is_valid_for_pcs(bench: Bench) -> None:
    schema = "/usr/share/pcs/data/ocf-1.0.rng"
    script = f"fence_nova -o metadata | xmllint --nonet --noout --relaxng {schema} -"
    checked = bench.run("sh", "-c", script)
    assert checked.code == 0, checked.err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("crm_resource", "--show-metadata", "ocf:novaha:NovaEvacuate"), "max_in_flight"),
        (("crm_resource", "--show-metadata", "ocf:novaha:NovaComputeUnfence"), "poll"),
        (("stonith_admin", "--metadata", "--agent", "fence_nova"), 'name="plug"'),
        (("pcs", "resource", "describe", "ocf:novaha:NovaEvacuate"), "stall_timeout"),
        (("pcs", "resource", "describe", "ocf:novaha:NovaComputeUnfence"), "poll"),
        (("pcs", "stonith", "describe", "fence_nova"), "plug"),
    ],
)
def test_the_cluster_s_tools_can_describe_the_agents(
    bench: Bench, argv: tuple[str, ...], told: str
) -> None:
    described = bench.run(*argv)
    assert described.code == 0, described.err
    assert told in described.out


@pytest.mark.parametrize(("value", "good"), [("4", True), ("many", False)])
def test_crm_resource_validates_parameters(bench: Bench, value: str, *, good: bool) -> None:
    argv = ["crm_resource", "--validate", "--class=ocf", "--provider=novaha"]
    options = [f"clouds_yaml={bench.folder}/clouds.yaml", f"max_in_flight={value}"]
    options += ["cloud=bench", "storage=shared"]
    argv += ["--agent=NovaEvacuate", *(f"--option={option}" for option in options)]
    validated = bench.run(*argv)
    assert (validated.code == 0) is good, validated.out + validated.err
    assert good or "must be a whole number from 1 to 64" in validated.out + validated.err


def test_stonith_admin_validates_the_fence_agent(bench: Bench) -> None:
    validated = bench.run("stonith_admin", "--validate", "--agent=fence_nova")
    assert validated.code == 0, validated.out + validated.err


def test_a_receipt_goes_through_the_real_cibadmin_and_holds_its_node(bench: Bench) -> None:
    def status(node: str) -> int:
        return bench.run("fence_nova", "-o", "status", "-n", node).code

    assert status("ghost-1") == 0
    written = bench.run("fence_nova", "-o", "off", "-n", "ghost-1")
    assert written.code == 0, written.err
    assert status("ghost-1") == 2
    assert status("ghost-2") == 0
    again = bench.run("fence_nova", "-o", "off", "-n", "ghost-1")
    assert again.code == 0, again.err

    unfence = (f"{OCF_FOLDER}/NovaComputeUnfence", "start")
    short = {"OCF_RESKEY_CRM_meta_timeout": "2000", "OCF_RESKEY_poll": "1"}
    held = bench.run(*unfence, OCF_RESKEY_CRM_meta_on_node="ghost-1", **short)
    assert held.code == 1
    assert "fenced and not yet recovered" in held.err
    free = bench.run(*unfence, OCF_RESKEY_CRM_meta_on_node="ghost-2", **short)
    assert free.code == 0, free.err


def test_list_names_the_computes_and_no_controller(bench: Bench) -> None:
    listed = bench.run("fence_nova", "-o", "list")
    assert listed.code == 0, listed.err
    assert listed.out.split() == [f"{node}," for node in bench.cluster.computes()]


def test_an_open_receipt_shows_in_list_status(bench: Bench) -> None:
    node = bench.cluster.computes()[0]
    bench.run("fence_nova", "-o", "off", "-n", node)
    lines = bench.run("fence_nova", "-o", "list-status").out.split()
    assert f"{node},,OFF" in lines
    assert f"{bench.cluster.computes()[1]},,ON" in lines


def test_a_remote_node_reads_the_cluster_and_is_told_its_name(cluster: Cluster) -> None:
    # crm_node is not among the packages of a remote node; Pacemaker passes the name instead.
    node = cluster.computes()[-1]
    assert "<cib" in cluster.exec(node, ("cibadmin", "--query")).out
    settings = {
        "NOVA_HA_RUN_ROOT": "/tmp/bench-remote",
        "OCF_RESOURCE_INSTANCE": "bench",
        "OCF_RESKEY_CRM_meta_timeout": "4000",
        "OCF_RESKEY_CRM_meta_on_node": node,
    }
    environ = ("env", *(f"{name}={value}" for name, value in settings.items()))
    agent = f"{OCF_FOLDER}/NovaComputeUnfence"
    codes = [
        cluster.exec(node, (*environ, agent, operation), check=False).code
        for operation in ("monitor", "start", "monitor", "stop", "monitor")
    ]
    cluster.exec(node, ("rm", "-rf", "/tmp/bench-remote"))
    assert codes == [7, 0, 0, 0, 7]


def test_the_alert_hook_reaches_the_recovery_as_user_hacluster(bench: Bench) -> None:
    agent = f"{OCF_FOLDER}/NovaEvacuate"
    given = {
        "cloud": "bench",
        "clouds_yaml": f"{bench.folder}/clouds.yaml",
        "storage": "shared",
    }
    cloud = {f"OCF_RESKEY_{name}": value for name, value in given.items()}
    bench.run("chmod", "755", bench.folder)
    started = bench.run("sh", "-c", f"umask 077; {agent} start", **cloud)
    assert started.code == 0, started.err
    hook = "/usr/share/nova-ha/alerts/nova_ha_alert"
    as_hacluster = ("setpriv", "--reuid=hacluster", "--regid=haclient", "--init-groups")
    bench.run(*as_hacluster, hook, CRM_alert_kind="fencing")
    seen = bench.run("sh", "-c", f"sleep 0.3; cat {bench.folder}/run/bench/status.json")
    assert bench.run(agent, "stop").code == 0
    assert "woken 1 times" in seen.out
