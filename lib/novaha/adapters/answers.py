"""What comes back from Nova's API, taken apart; what is not as it should be has one error."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from keystoneauth1 import exceptions as ksa

from novaha.errors import CloudUnavailable

T = TypeVar("T")
Json = Mapping[str, Any]

ODD = (KeyError, TypeError, AttributeError, ValueError)
"""What keystoneauth lets through of an answer that is no Keystone's, or of odd versions."""

_LAST_CAUSE = re.compile(r"\[Errno -?\d+\] ([^')]+)")


def field_of(body: Json, key: str) -> Any:  # noqa: ANN401
    """Return what an answer has under a key; raises CloudUnavailable."""
    if key not in body:
        msg = f"Nova's answer has no {key!r}: is the catalog's compute endpoint really Nova?"
        raise CloudUnavailable(msg)
    return body[key]


def list_of(body: Json, key: str) -> list[Json]:
    """Return the list that an answer has under a key; raises CloudUnavailable."""
    value = field_of(body, key)
    if not isinstance(value, list):
        msg = (
            f"Nova's answer has no list of {key!r}: is the catalog's compute endpoint really Nova?"
        )
        raise CloudUnavailable(msg)
    return value


def read(reader: Callable[[Json], T], raw: Json) -> T:
    """Read one object of an answer; raises CloudUnavailable when it has another shape."""
    try:
        return reader(raw)
    except ODD as error:
        msg = f"Nova's answer is not as expected: {type(error).__name__} {error}"
        raise CloudUnavailable(msg) from error


def json_of(response: Any) -> Json:  # noqa: ANN401  (requests' response, seen through keystoneauth)
    """Return the object that an answer is, empty without a body; raises CloudUnavailable."""
    if not response.content:
        return {}
    try:
        body = response.json()
    except ValueError as error:
        msg = f"Nova answered {response.status_code} with something that is not JSON"
        raise CloudUnavailable(msg) from error
    if not isinstance(body, dict):
        msg = f"Nova answered {response.status_code} with JSON that is no object"
        raise CloudUnavailable(msg)
    return body


def words_of(response: Any) -> str:  # noqa: ANN401
    """Return Nova's own explanation of a refusal."""
    try:
        fault = next(iter(response.json().values()))
        return str(fault["message"])[:300]
    except (ValueError, KeyError, TypeError, StopIteration, AttributeError):
        return "Nova refused and gave no reason"


def unavailable(error: Exception) -> CloudUnavailable:
    """Return the error for a request that keystoneauth could not get an answer to."""
    if isinstance(error, ODD):
        msg = f"an answer of Keystone or Nova cannot be read: {type(error).__name__}"
        return CloudUnavailable(msg)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    # requests puts its whole chain of causes into one line; the operator needs both ends of it.
    cause = _LAST_CAUSE.search(first)
    first = first.split(": HTTPConnectionPool", 1)[0] + (f": {cause[1]}" if cause else "")
    if isinstance(error, ksa.Unauthorized):
        first = f"Keystone refused our credentials (401), check clouds.yaml: {first}"
    return CloudUnavailable(first[:300], busy=isinstance(error, ksa.ConnectTimeout))
