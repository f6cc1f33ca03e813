"""`make install` puts everything where Pacemaker looks for it."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = "usr/lib/python3/dist-packages/novaha"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    # Not with the flags of the `make` that may run the tests.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    argv = ["make", "--silent", "install", f"DESTDIR={root}"]
    subprocess.run(argv, cwd=ROOT, env=environ, check=True, capture_output=True)
    return root


@pytest.mark.parametrize(
    "path",
    [
        "usr/lib/ocf/resource.d/novaha/NovaEvacuate",
        "usr/lib/ocf/resource.d/novaha/NovaComputeUnfence",
        "usr/sbin/fence_nova",
        "usr/sbin/fence_nova_gate",
        "usr/share/nova-ha/alerts/nova_ha_alert",
    ],
)
def test_programs_are_executable(root: Path, path: str) -> None:
    assert stat.S_IMODE((root / path).stat().st_mode) == 0o755


def test_the_drop_in_is_there_for_those_who_want_it_and_holds_nobody_else(root: Path) -> None:
    drop_in = root / "usr/share/nova-ha/systemd/40-nova-ha.conf"
    assert stat.S_IMODE(drop_in.stat().st_mode) == 0o644
    assert not list(root.rglob("*.service.d"))


def test_the_whole_library_is_there_and_nothing_else(root: Path) -> None:
    wanted = {str(path.relative_to(ROOT / "lib/novaha")) for path in (ROOT / "lib").rglob("*.py")}
    found = {str(path.relative_to(root / LIBRARY)) for path in (root / LIBRARY).rglob("*.py")}
    assert found == wanted


def test_the_configuration_scripts_stay_executable(root: Path) -> None:
    for path in (ROOT / "crm-config").rglob("*"):
        if path.is_file():
            installed = (
                root / "usr/share/nova-ha/crm-config" / path.relative_to(ROOT / "crm-config")
            )
            assert os.access(installed, os.X_OK) == os.access(path, os.X_OK)


def test_it_is_compiled_for_the_place_it_will_have(root: Path) -> None:
    (compiled,) = (root / LIBRARY / "__pycache__").glob("rundir.*.pyc")
    program = "import marshal, sys; print(marshal.loads(sys.stdin.buffer.read()[16:]).co_filename)"
    argv = ["/usr/bin/python3", "-c", program]
    told = subprocess.check_output(argv, input=compiled.read_bytes())
    assert told.decode().strip() == f"/{LIBRARY}/rundir.py"


def test_an_installed_agent_runs(root: Path) -> None:
    agent = root / "usr/lib/ocf/resource.d/novaha/NovaEvacuate"
    environ = {"PYTHONPATH": str(root / LIBRARY / "..")}
    printed = subprocess.check_output([agent, "meta-data"], text=True, env=environ)
    assert '<resource-agent name="NovaEvacuate">' in printed
