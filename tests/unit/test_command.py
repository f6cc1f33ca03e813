"""The command as a whole: what it is given and cannot read or write ends in a line, never more."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACE = ROOT / "tests" / "scenarios" / "crash-plain" / "trace"


def nova_ha(*argv: str, out: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command of this checkout; out: where its output goes, "" for to us."""
    command = [sys.executable, str(ROOT / "bin" / "nova-ha"), *argv]
    env = {"PYTHONPATH": str(ROOT / "lib"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    if not out:
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    with Path(out).open("w", encoding="utf-8") as sink:
        return subprocess.run(
            command, env=env, stdout=sink, stderr=subprocess.PIPE, text=True, check=False
        )


def test_a_trace_explains_an_instance() -> None:
    done = nova_ha("explain", "--trace", str(TRACE), "vm-1")
    assert done.returncode == 0, done.stderr
    assert "vm-1" in done.stdout


@pytest.mark.parametrize("content", [None, "", "no trace\n", "\x00\x01"])
def test_what_is_no_trace_gets_code_2_and_a_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "trace"
    if content is not None:
        path.write_text(content)
    done = nova_ha("explain", "--trace", str(path), "vm-1")
    assert done.returncode == 2
    assert done.stderr.startswith(f"nova-ha: {path} ")
    assert done.stderr.count("\n") == 1


def test_a_trace_without_a_subject_tells_whom_it_knows() -> None:
    done = nova_ha("explain", "--trace", str(TRACE))
    assert done.returncode == 2
    assert "vm-1" in done.stderr


@pytest.mark.parametrize(
    "argv", [("explain", "--trace", str(TRACE), "vm-1"), ("simulate", str(TRACE.parent))]
)
def test_output_that_cannot_be_written_ends_in_a_line(argv: tuple[str, ...]) -> None:
    done = nova_ha(*argv, out="/dev/full")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
