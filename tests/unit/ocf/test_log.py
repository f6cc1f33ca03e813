"""Log lines go where Pacemaker says, and never make an operation fail."""

import syslog
from pathlib import Path

import pytest
from novaha.ocf.log import log


def test_a_person_at_a_terminal_sees_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    log({}, "Sample", "warning", "two\nlines")
    assert capsys.readouterr().err == "warning: two lines\n"


def test_the_log_file_gets_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log({"HA_LOGFILE": str(tmp_path / "log")}, "Sample", "info", "started")
    assert (tmp_path / "log").read_text().endswith("]: info: started\n")
    assert capsys.readouterr().err == ""


def test_a_log_file_that_cannot_be_written_only_warns(capsys: pytest.CaptureFixture[str]) -> None:
    log({"HA_LOGFILE": "/nowhere/log"}, "Sample", "info", "started")
    error = capsys.readouterr().err
    assert "cannot write /nowhere/log" in error
    assert "started" in error


@pytest.mark.parametrize(
    ("facility", "number"), [("local0", syslog.LOG_LOCAL0), ("nonsense", syslog.LOG_DAEMON)]
)
def test_the_facility_is_pacemaker_s(
    facility: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(syslog, "openlog", lambda *args: seen.append(args))
    monkeypatch.setattr(syslog, "syslog", lambda *args: seen.append(args))
    log({"HA_LOGFACILITY": facility}, "Sample", "error", "failed")
    assert seen == [("Sample", syslog.LOG_PID, number), (syslog.LOG_ERR, "failed")]
