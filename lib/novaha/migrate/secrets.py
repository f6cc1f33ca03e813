"""The secrets that a migration takes out of the CIB, as files for a controller."""

import json
import shlex
from collections.abc import Iterator, Mapping

from novaha.cib.facts import params
from novaha.cib.xml import Element
from novaha.migrate import classic

CLOUDS_YAML = "clouds.yaml"
_NAMES = {
    "auth_url": ("auth_url",),
    "username": ("username", "login"),
    "password": ("password", "passwd"),
    "project_name": ("tenant_name",),
    "user_domain_name": ("user_domain", "user-domain"),
    "project_domain_name": ("project_domain", "project-domain"),
}
_FALSE = frozenset({"", "0", "false", "no", "off"})


def files(cib: Element, cloud: str, scripts: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """Yield name, text and mode of each file: the scripts by the last part of their path."""
    for path, secret in scripts.items():
        text = f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(secret)}\n"
        yield path.rsplit("/", 1)[-1], text, 0o700
    entry = cloud_of(cib)
    if entry:
        # JSON is YAML.
        yield CLOUDS_YAML, json.dumps({"clouds": {cloud: entry}}, indent=2) + "\n", 0o600


def cloud_of(cib: Element) -> dict[str, object]:
    """Return the entry of clouds.yaml that the classic agents' parameters make; {} for none."""
    given: dict[str, str] = {}
    for each in classic.find(cib).pieces():
        given = {**params(each), **given}
    auth = {
        ours: next(given[name] for name in theirs if name in given)
        for ours, theirs in _NAMES.items()
        if any(name in given for name in theirs)
    }
    if "auth_url" not in auth:
        return {}
    for name in ("user_domain_name", "project_domain_name"):
        auth.setdefault(name, "Default")
    entry: dict[str, object] = {"auth": auth}
    if given.get("region_name"):
        entry["region_name"] = given["region_name"]
    if given.get("insecure", "").lower() not in _FALSE:
        entry["verify"] = False
    return entry
