"""HTTP with JSON bodies to the cloud's APIs, straight from this machine."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ClusterError

Json = dict[str, Any]


class ApiError(ClusterError):
    """An API answered with an error status, or not at all (status 0)."""

    def __init__(self, what: str, status: int, text: str) -> None:
        """Keep the status for callers that judge it."""
        self.status = status
        super().__init__(f"{what}: {status or 'no answer'}: {text.strip()[:500]}")


@dataclass(frozen=True)
class Answer:
    """Headers and decoded body of a successful answer."""

    headers: Mapping[str, str]
    body: Json


def request(
    method: str,
    url: str,
    *,
    body: Json | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 30.0,
) -> Answer:
    """Do one request; raises ApiError unless it is answered with success."""
    data = None if body is None else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    # The address comes from our own settings; no proxy stands between us and our containers.
    call = urllib.request.Request(url, data=data, method=method, headers=all_headers)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(call, timeout=timeout_s) as answer:
            raw = answer.read()
            return Answer(dict(answer.headers), json.loads(raw) if raw else {})
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode(errors="replace")
        msg = f"{method} {url}"
        raise ApiError(msg, error.code, text) from error
    except OSError as error:
        msg = f"{method} {url}"
        raise ApiError(msg, 0, str(error)) from error
