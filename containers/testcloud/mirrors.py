"""Where packages come from: this machine's own settings, handed to the builds.

Nothing of it is kept in an image or in the repository.
"""

import configparser
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from . import shell

SUITE, NEXT_SUITE = "bookworm", "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_SUITES = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
_APT = Path("/etc/apt")
_CA_BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/cert.pem"))
_ACQUIRE = ("Acquire::http::", "Acquire::https::", "Acquire::Check-")
_PIP_FILES = ("/etc/pip.conf", Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf")
_PIP_OPTIONS = ("index-url", "extra-index-url", "trusted-host")
_FIXED = {
    "APT_CONFIG": "/build/apt.conf",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_TRUSTED_HOST")


def debian_sources() -> tuple[tuple[str, str], ...]:
    """Return (address, suite) of the Debian archives this machine uses, () if it uses none."""
    files = [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))]
    found = []
    for file in files:
        if not file.is_file():
            continue
        read = {".sources": _from_deb822, ".list": _from_lines}.get(file.suffix)
        if read:
            found += [entry for entry in read(file.read_text()) if entry[1] in _SUITES]
    return tuple(dict.fromkeys(found))


def _from_deb822(text: str) -> Iterator[tuple[str, str]]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(URIs|Suites|Components):\s*(.+)$", stanza, re.MULTILINE))
        if "main" in fields.get("Components", "").split():
            for uri in fields.get("URIs", "").split():
                yield from ((uri, suite) for suite in fields.get("Suites", "").split())


def _from_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
        if match and "main" in match[3].split():
            yield match[1], match[2]


def sources_of(suite: str) -> tuple[tuple[str, str], ...]:
    """Return (address, suite) of a Debian's archives, at the addresses that this machine uses."""
    found = debian_sources()
    return found if suite == SUITE else tuple((uri, suite) for uri, own in found if own == SUITE)


def write_settings(folder: Path, suite: str = SUITE) -> None:
    """Write apt and pip settings for a build that sees the folder as /build.

    /build/environment sets them in force. They are no options of `docker run`: those would be
    committed with the image.
    """
    environment = {**_FIXED, **_pip_settings()}
    environment |= {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
    bundle = next((path for path in _CA_BUNDLES if path.exists()), None)
    if bundle:
        shutil.copyfile(bundle, folder / "ca.crt")
        environment["PIP_CERT"] = "/build/ca.crt"
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    (folder / "environment").write_text("".join(exports))
    (folder / "apt.conf").write_text(_apt_conf(with_bundle=bundle is not None))
    lines = (f"deb [signed-by={KEYRING}] {uri} {each} main" for uri, each in sources_of(suite))
    (folder / "sources.list").write_text("".join(line + "\n" for line in lines))


def _pip_settings() -> dict[str, str]:
    """Return where this machine's pip looks for packages; what is on its own disk is left out."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(_PIP_FILES)
    options = config["global"] if config.has_section("global") else {}
    found = {name: options[name] for name in _PIP_OPTIONS if options.get(name)}
    return {
        f"PIP_{name.upper().replace('-', '_')}": value
        for name, value in found.items()
        if "file:" not in value
    }


def _apt_conf(*, with_bundle: bool) -> str:
    text = 'Acquire::Retries "3";\nAPT::Install-Recommends "false";\n'
    if with_bundle:
        text += 'Acquire::https::CAInfo "/build/ca.crt";\n'
    if debian_sources():
        text += 'Dir::Etc::SourceList "/build/sources.list";\nDir::Etc::SourceParts "/dev/null";\n'
        text += "".join(_acquire_lines())
    return text


def _acquire_lines() -> Iterator[str]:
    """Yield this machine's settings for downloads: proxies, time limits, validity of snapshots."""
    if not shutil.which("apt-config"):
        return
    for line in shell.run(("apt-config", "dump", "Acquire")).out.splitlines():
        if line.startswith(_ACQUIRE):
            yield line + "\n"
