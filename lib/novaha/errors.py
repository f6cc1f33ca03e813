"""The few errors that cross module borders; only the runners turn them into exit codes.

NovaHaError
├── ClusterUnavailable   Pacemaker did not answer, or refused: try again
├── CloudUnavailable     Nova or Keystone did not answer: try again
├── CloudRefused         Nova understood and said no: trying the same again will not help
│   ├── NotInTwoPhases   it cannot leave an evacuated instance stopped
│   └── NeedsNoStart     an instance runs, is gone, or was stopped by a person
└── ConfigError          a person must change something
"""


class NovaHaError(Exception):
    """Base of all of them; the text is what the operator reads."""


class ClusterUnavailable(NovaHaError):
    """A Pacemaker tool failed, timed out or printed something else than was asked."""


class CloudUnavailable(NovaHaError):
    """Nova or Keystone gave no usable answer; whether a request took effect is unknown.

    busy: it has more to do than it can, as far as that can be told.
    """

    def __init__(self, message: str, *, busy: bool = False) -> None:
        """Keep beside the text whether Nova is overloaded."""
        super().__init__(message)
        self.busy = busy


class CloudRefused(NovaHaError):
    """Nova answered and refused; the request had no effect."""

    def __init__(self, message: str, status: int) -> None:
        """Keep the HTTP status beside the text."""
        super().__init__(message)
        self.status = status


class NotInTwoPhases(CloudRefused):
    """Nova, or one of its computes, is too old to leave an evacuated instance stopped."""


class NeedsNoStart(CloudRefused):
    """An instance that was to be started needs it no more; the text says why."""


class ConfigError(NovaHaError):
    """The configuration is wrong; the text says what to change."""
