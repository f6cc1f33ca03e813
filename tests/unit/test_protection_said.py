"""What an operator says of the protection gets through, and is told with the same words."""

import pytest
from novaha import saidpolicy
from novaha.cli.explain import policy_of
from novaha.core.selection import EXCLUDED, MODES, Mode
from novaha.errors import ConfigError
from novaha.params import BadParameter
from novaha.specs.nova_evacuate import EXCLUDE_NAMES, PROTECT

ARGV = ("--run-dir=/x", "--cloud=c", "--clouds-yaml=/y", "--storage=shared")


@pytest.mark.parametrize("mode", Mode)
def test_the_mode_reaches_the_policy_of_the_process_and_of_an_explanation(mode: Mode) -> None:
    argv = (*ARGV, f"--protect={mode}")
    assert saidpolicy.policy_of(saidpolicy.arguments_of(argv)).protect is mode
    assert policy_of({"protect": mode}).protect is mode


@pytest.mark.parametrize(
    ("text", "names"),
    [("amphora-* test-?", ("amphora-*", "test-?")), ("none", ()), ("-x", ("-x",))],
)
def test_the_names_do_too(text: str, names: tuple[str, ...]) -> None:
    argv = (*ARGV, f"--exclude-names={text}")
    assert saidpolicy.policy_of(saidpolicy.arguments_of(argv)).exclude_names == names
    assert policy_of({"exclude_names": text}).exclude_names == names


def test_what_is_not_said_is_what_the_agent_tells() -> None:
    given = saidpolicy.policy_of(saidpolicy.arguments_of(ARGV))
    assert (given.protect, given.exclude_names) == (Mode.ALL, (EXCLUDED,))
    assert (policy_of({}).protect, policy_of({}).exclude_names) == (Mode.ALL, (EXCLUDED,))
    assert (PROTECT.parse(None), EXCLUDE_NAMES.parse("")) == (Mode.ALL, EXCLUDED)


@pytest.mark.parametrize("value", ["All", "none", "true", "al"])
def test_another_mode_is_refused(value: str) -> None:
    with pytest.raises(BadParameter, match="must be all or tagged"):
        PROTECT.parse(value)
    with pytest.raises(ConfigError):
        policy_of({"protect": value})


def test_every_mode_is_explained_where_an_operator_reads_it() -> None:
    assert MODES.keys() == set(Mode)
    for word, text in MODES.items():
        assert f"{word}: {text}" in PROTECT.longdesc
