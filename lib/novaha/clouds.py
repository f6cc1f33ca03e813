"""Checks of clouds.yaml that cost no OpenStack import; what is in it is never repeated."""

import os
import stat

from novaha.ocf.codes import OK, Outcome, Rc


def check(path: str, cloud: str) -> Outcome:
    """Return OK, or why this node cannot use the cloud."""
    try:
        found = os.stat(path)
    except OSError as error:
        text = f"{path}: {error.strerror}; copy it to every controller, owned by root, mode 0600"
        return Outcome(Rc.NOT_INSTALLED, text)
    if not stat.S_ISREG(found.st_mode):
        return Outcome(Rc.NOT_INSTALLED, f"{path} is not a file; clouds_yaml must name clouds.yaml")
    unprotected = protection(path, found.st_uid, stat.S_IMODE(found.st_mode))
    return unprotected or _content(path, cloud)


def protection(path: str, owner: int, mode: int) -> Outcome | None:
    """Return what is wrong with owner or mode of a file of secrets, or None."""
    if owner != os.geteuid():  # Pacemaker runs agents as root
        return Outcome(Rc.PERMISSION, f"{path} belongs to uid {owner}; run: chown root {path}")
    if mode & 0o077:
        return Outcome(Rc.PERMISSION, f"{path} has mode {mode:04o}; run: chmod 600 {path}")
    return None


def _content(path: str, cloud: str) -> Outcome:
    import yaml  # 60 ms, and only start and a deep validate-all come here

    try:
        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file)
    except yaml.MarkedYAMLError as error:
        # Its text may quote the line, and so a password.
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return Outcome(Rc.ARGS, f"{path}: line {line} is not valid YAML")
    except (yaml.YAMLError, UnicodeDecodeError):
        return Outcome(Rc.ARGS, f"{path} is not YAML text in UTF-8")
    except OSError as error:
        return Outcome(Rc.PERMISSION, f"{path}: {error.strerror}; run: chmod 600 {path}")
    return _entry(path, document, cloud)


def _entry(path: str, document: object, cloud: str) -> Outcome:
    clouds = document.get("clouds") if isinstance(document, dict) else None
    if not isinstance(clouds, dict) or not clouds:
        return Outcome(Rc.ARGS, f"{path} has no section 'clouds' with a cloud in it")
    if cloud not in clouds:
        names = ", ".join(sorted(map(str, clouds)))
        return Outcome(Rc.ARGS, f"{path} has no cloud {cloud!r}; it has: {names}")
    if not isinstance(clouds[cloud], dict):
        return Outcome(Rc.ARGS, f"{path}: the entry of cloud {cloud!r} is no mapping; say its auth")
    return OK
