"""The outside world: Pacemaker's tools, Nova's API, the clock."""
