"""`nova-ha migrate`: exit codes, what it prints, and that nothing happens without --yes."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from migrating import CLASSIC, from_disk
from novaha.adapters import configuration
from novaha.cib.xml import Element
from novaha.cli import migrate
from novaha.cli.main import main
from novaha.errors import ClusterUnavailable


@pytest.fixture(autouse=True)
def writes(monkeypatch: pytest.MonkeyPatch) -> list[Element]:
    """Stand in for the cluster: what is written to it becomes what it holds."""
    written = [from_disk()]
    monkeypatch.setattr(configuration, "live", lambda: written[-1])
    monkeypatch.setattr(configuration, "write", lambda _, after: written.append(after))
    monkeypatch.setattr(migrate, "evacuating", lambda: ())
    monkeypatch.setattr(migrate, "wait_stopped", lambda _: None)
    return written


@pytest.fixture
def toml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["migrate", "classic", "--cloud", "overcloud", "--file", str(CLASSIC)]) == 0
    path = tmp_path / "inventory.toml"
    path.write_text(capsys.readouterr().out)
    return path


def test_diff_shows_and_exits_1(toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "diff", str(toml), "--file", str(CLASSIC), "--json"]) == 1
    kinds = {change["kind"] for change in json.loads(capsys.readouterr().out)}
    assert kinds == {"add", "change", "remove"}


def test_apply_alone_changes_nothing(toml: Path, writes: list[Element]) -> None:
    assert main(["migrate", "apply", str(toml)]) == 0
    assert len(writes) == 1


def test_apply_wants_a_file_to_save_to(toml: Path, writes: list[Element]) -> None:
    assert main(["migrate", "apply", str(toml), "--yes"]) == 2
    assert len(writes) == 1


def test_apply_stops_nova_compute_first_and_rollback_gives_all_back(
    toml: Path, writes: list[Element], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.json"
    before = etree.tostring(writes[0])
    assert main(["migrate", "apply", str(toml), "--yes", "--save", str(kept)]) == 0
    assert len(writes) == 3
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert main(["migrate", "diff", str(toml)]) == 0
    capsys.readouterr()
    assert main(["migrate", "rollback", str(kept)]) == 0
    assert len(writes) == 3
    assert "nothing was changed" in capsys.readouterr().err
    assert main(["migrate", "rollback", str(kept), "--yes"]) == 0
    assert etree.tostring(writes[-1]) == before
    assert main(["migrate", "rollback", str(kept), "--yes"]) == 0
    assert len(writes) == 5


def test_the_file_is_there_before_anything_is_written(
    toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.json"

    def dies(*_: object) -> None:
        assert kept.read_text().endswith("}\n")
        msg = "died"
        raise ClusterUnavailable(msg)

    monkeypatch.setattr(configuration, "write", dies)
    assert main(["migrate", "apply", str(toml), "--yes", "--save", str(kept)]) == 1


def test_a_file_that_is_there_is_not_written_over(
    toml: Path, tmp_path: Path, writes: list[Element]
) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    assert main(["migrate", "apply", str(toml), "--yes", "--save", str(kept)]) == 2
    assert kept.read_text() == "mine"
    assert len(writes) == 1


def test_nothing_is_applied_while_classic_evacuates(
    toml: Path,
    tmp_path: Path,
    writes: list[Element],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(migrate, "evacuating", lambda: ("compute-0",))
    kept = tmp_path / "kept.json"
    assert main(["migrate", "apply", str(toml), "--yes", "--save", str(kept)]) == 2
    assert "is evacuating compute-0" in capsys.readouterr().err
    assert not kept.exists()
    assert len(writes) == 1


def test_secrets_go_into_a_new_folder_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    argv = ["migrate", "classic", "--cloud", "c", "--file", str(CLASSIC), "--secrets", str(folder)]
    assert main(argv) == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {
        "clouds.yaml": 0o600,
        **{f"ipmi-controller-{n}": 0o700 for n in range(3)},
        **{f"ipmi-compute-{n}": 0o700 for n in range(2)},
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert main(argv) == 2


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["classic", "--cloud", "a b", "--file", str(CLASSIC)], "cloud"),
        (["classic", "--cloud", "c", "--file", "/nowhere"], "cannot be read"),
        (["diff", "/nowhere", "--file", str(CLASSIC)], "cannot be read"),
        (["rollback", "/nowhere"], "cannot be read"),
        (["rollback", str(CLASSIC)], "no file of --save"),
        (["rollback", "x", "--yes", "--file", str(CLASSIC)], "leave --file out"),
        (["segments", "--cloud", "c", "--clouds-yaml", "/nowhere"], "cloud 'c'"),
        (["masakari", "--cloud", "", "--no-cluster"], "cloud"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", *argv]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


ENTITY = '<!DOCTYPE cib [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "text",
    ["", "<cib", "<other/>", "<cib/>", "\x00", f"{ENTITY}<other>&x;</other>", "<configuration/>"],
)
def test_a_cib_that_is_none_gets_code_2(text: str, tmp_path: Path, toml: Path) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(text)
    assert main(["migrate", "classic", "--cloud", "c", "--file", str(cib)]) == 2
    assert main(["migrate", "diff", str(toml), "--file", str(cib)]) == 2


def _without(key: str) -> Callable[[dict[str, object]], object]:
    return lambda kept: {name: value for name, value in kept.items() if name != key}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: [],
        lambda _: "x",
        lambda kept: {**kept, "format": "another 2"},
        lambda kept: {**kept, "after": 7},
        lambda kept: {**kept, "between": "<cib/>"},
        lambda kept: {**kept, "before": "\ud800"},
        lambda kept: {**kept, "before": kept["before"][:-9]},
        *map(_without, ("format", "before", "between", "after")),
    ],
)
def test_a_file_of_save_that_is_spoilt_changes_nothing(
    spoil: Callable[[dict[str, str]], object],
    toml: Path,
    tmp_path: Path,
    writes: list[Element],
) -> None:
    kept = tmp_path / "kept.json"
    assert main(["migrate", "apply", str(toml), "--yes", "--save", str(kept)]) == 0
    count = len(writes)
    kept.write_text(json.dumps(spoil(json.loads(kept.read_text()))))
    assert main(["migrate", "rollback", str(kept), "--yes"]) == 2
    assert len(writes) == count


def test_a_cluster_that_is_not_there_is_one_line_and_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["migrate", "classic", "--cloud", "c"]) == 1
    assert capsys.readouterr().err == "nova-ha: cibadmin is not installed on this node\n"
