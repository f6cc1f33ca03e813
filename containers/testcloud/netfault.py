"""Network faults, made by packet filters inside a container's network namespace.

They vanish with the namespace: a node that is switched off and on again has a clean network.
"""

from collections.abc import Iterable

from . import namespaces, shell

_EVERYTHING = (("INPUT", "!", "-i", "lo", "-j", "DROP"), ("OUTPUT", "!", "-o", "lo", "-j", "DROP"))


def drop_all(pid: int) -> None:
    """Drop all packets in and out, except on loopback."""
    for filter_name in ("iptables", "ip6tables"):
        _add(pid, filter_name, _EVERYTHING)


def allow_all(pid: int) -> None:
    """Undo drop_all."""
    for filter_name in ("iptables", "ip6tables"):
        _delete(pid, filter_name, _EVERYTHING)


def drop_port(pid: int, port: int) -> None:
    """Drop what arrives for one UDP port."""
    _add(pid, "iptables", (_to_port(port),))


def allow_port(pid: int, port: int) -> None:
    """Undo drop_port."""
    _delete(pid, "iptables", (_to_port(port),))


def _to_port(port: int) -> tuple[str, ...]:
    return ("INPUT", "-p", "udp", "--dport", str(port), "-j", "DROP")


def _add(pid: int, filter_name: str, rules: Iterable[tuple[str, ...]]) -> None:
    for rule in rules:
        if not _present(pid, filter_name, rule):
            shell.run((*_inside(pid, filter_name), "-I", *rule))


def _delete(pid: int, filter_name: str, rules: Iterable[tuple[str, ...]]) -> None:
    for rule in rules:
        if _present(pid, filter_name, rule):
            shell.run((*_inside(pid, filter_name), "-D", *rule))


def _present(pid: int, filter_name: str, rule: tuple[str, ...]) -> bool:
    return shell.run((*_inside(pid, filter_name), "-C", *rule), check=False).code == 0


def _inside(pid: int, filter_name: str) -> tuple[str, ...]:
    return (*namespaces.inside(pid, namespaces.NETWORK), filter_name, "--wait", "5")
