"""Every error a caller of this package may meet."""


class ClusterError(Exception):
    """The test cluster cannot do what was asked; the text says what, where and what next."""


class CommandFailed(ClusterError):
    """A command ended with a code that was not expected."""

    def __init__(self, argv: tuple[str, ...], code: int, output: str) -> None:
        """Keep what a caller needs to judge the failure."""
        self.argv = argv
        self.code = code
        self.output = output
        super().__init__(f"`{' '.join(argv)}` ended with {code}: {output.strip()[-2000:]}")


class CommandTimedOut(ClusterError):
    """A command did not end before its deadline."""


class WaitTimedOut(ClusterError):
    """A condition did not come true before its deadline."""
