"""The command `nova-ha`."""
