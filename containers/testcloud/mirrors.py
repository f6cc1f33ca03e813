"""Where packages come from: this machine's own settings, handed to the builds.

Nothing of it is kept in an image or in the repository.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_SUITES = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
_APT = Path("/etc/apt")
_CA_BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/cert.pem"))
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


def write_settings(folder: Path) -> tuple[str, ...]:
    """Write apt and pip settings for a build that sees the folder as /build.

    Returns the `docker run` options that make the build use them.
    """
    options = [f"--env={name}" for name in _PASSED_ON if os.environ.get(name)]
    bundle = next((path for path in _CA_BUNDLES if path.exists()), None)
    if bundle:
        shutil.copyfile(bundle, folder / "ca.crt")
        options.append("--env=PIP_CERT=/build/ca.crt")
    (folder / "apt.conf").write_text(_apt_conf(with_bundle=bundle is not None))
    lines = (f"deb [signed-by={KEYRING}] {uri} {suite} main" for uri, suite in debian_sources())
    (folder / "sources.list").write_text("".join(line + "\n" for line in lines))
    return (*options, "--env=APT_CONFIG=/build/apt.conf")


def _apt_conf(*, with_bundle: bool) -> str:
    text = 'Acquire::Retries "3";\nAPT::Install-Recommends "false";\n'
    if with_bundle:
        text += 'Acquire::https::CAInfo "/build/ca.crt";\n'
    if debian_sources():
        text += 'Dir::Etc::SourceList "/build/sources.list";\nDir::Etc::SourceParts "/dev/null";\n'
        text += "".join(_acquire_lines())
    return text


def _acquire_lines() -> Iterator[str]:
    """Yield this machine's one-line Acquire settings (proxies, validity of snapshots)."""
    for file in sorted((_APT / "apt.conf.d").glob("*")):
        text = file.read_text(errors="replace") if file.is_file() else ""
        for line in re.findall(r"^Acquire::[\w:.-]+\s+\"[^\"]*\";", text, re.MULTILINE):
            if not line.startswith(("Acquire::Languages", "Acquire::GzipIndexes")):
                yield line + "\n"
