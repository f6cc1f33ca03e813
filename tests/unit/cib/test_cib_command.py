"""`nova-ha cib`: exit codes and what it prints."""

import json
from pathlib import Path

import pytest
from novaha.cli.main import main

EXAMPLE = Path(__file__).parents[3] / "crm-config/examples/inventory.toml"
EMPTY = '<cib validate-with="none"><configuration/></cib>'


@pytest.mark.parametrize(
    ("form", "head"), [("xml", "<cib "), ("pcs", "#!/bin/bash"), ("crmsh", "# Made by")]
)
def test_generate_prints_each_form(
    form: str, head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cib", "generate", "--format", form, str(EXAMPLE)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(head)
    assert "community is kept in the CIB" in captured.err


def test_bad_input_gets_every_line_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("cloud = 1\nclod = 2\n")
    assert main(["cib", "generate", str(bad)]) == 2
    err = capsys.readouterr().err
    assert f"{bad}: line 1: cloud must be a text" in err
    assert f"{bad}: line 2: unknown key 'clod'" in err


def test_a_file_that_is_not_there_gets_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cib", "generate", "/nowhere"]) == 2
    assert "/nowhere cannot be read" in capsys.readouterr().err


def test_diff_against_a_file_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(EMPTY)
    assert main(["cib", "diff", "--json", "--file", str(cib), str(EXAMPLE)]) == 1
    assert json.loads(capsys.readouterr().out)[0]["what"] == "stonith-enabled"


@pytest.mark.parametrize("text", ["", "<cib", "<other/>"])
def test_a_cib_that_is_none_gets_code_2(text: str, tmp_path: Path) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(text)
    assert main(["cib", "diff", "--file", str(cib), str(EXAMPLE)]) == 2


@pytest.mark.parametrize("text", ["<a/>", "<cib/>", "<a><configuration/></a>"])
def test_check_takes_no_xml_for_a_cib(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(text)
    assert main(["cib", "check", "--file", str(cib)]) == 2
    assert "is no CIB" in capsys.readouterr().err


def test_check_names_each_problem_and_its_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text(EMPTY)
    assert main(["cib", "check", "--file", str(cib)]) == 1
    out = capsys.readouterr().out
    assert "  pcs property set concurrent-fencing=true\n" in out


def test_check_of_what_we_generate_finds_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cib", "generate", str(EXAMPLE)]) == 0
    cib = tmp_path / "cib.xml"
    cib.write_text(capsys.readouterr().out)
    assert main(["cib", "check", "--json", "--file", str(cib)]) == 0
    assert json.loads(capsys.readouterr().out) == []
