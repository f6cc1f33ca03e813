"""The one loop that drives the decisions against the ports."""
