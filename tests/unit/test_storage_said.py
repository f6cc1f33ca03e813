"""What an operator says of the storage is told with the same words everywhere, and gets through."""

import pytest
from novaha import saidpolicy
from novaha.cli.explain import policy_of
from novaha.core import segments
from novaha.core.storage import MEANINGS, WORDS, Storage
from novaha.specs.nova_evacuate import STORAGE


@pytest.mark.parametrize("storage", Storage)
def test_it_reaches_the_policy_of_the_process_and_of_an_explanation(storage: Storage) -> None:
    argv = ("--run-dir=/x", "--cloud=c", "--clouds-yaml=/y", f"--storage={storage}")
    assert saidpolicy.policy_of(saidpolicy.arguments_of(argv)).storage is storage
    assert policy_of({"storage": storage}).storage is storage


@pytest.mark.parametrize("argv", [(), ("--storage=",), ("--storage=ceph",)])
def test_the_process_does_not_guess_it(argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        saidpolicy.arguments_of(("--run-dir=/x", "--cloud=c", "--clouds-yaml=/y", *argv))


def test_where_nobody_said_it_nothing_is_explained_as_if_it_were_safe() -> None:
    assert policy_of({}).storage is Storage.LOCAL


def test_every_word_is_explained_where_an_operator_reads_it() -> None:
    assert MEANINGS.keys() == set(Storage)
    for word, text in MEANINGS.items():
        assert f"{word}: {text}" in STORAGE.longdesc
    assert f" {segments.STORAGE} " in STORAGE.longdesc
    assert (segments.STORAGE, WORDS) in {(key, values) for key, values, _ in segments.KEYS}
