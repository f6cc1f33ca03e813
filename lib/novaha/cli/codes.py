"""Exit codes of the command `nova-ha`."""

SAME = 0
"""Done, and as it should be."""

DIFFERS = 1
"""Something differs, is wrong, or would change."""

BAD_INPUT = 2
"""What was asked for makes no sense: nothing was done."""
