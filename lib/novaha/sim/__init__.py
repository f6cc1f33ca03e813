"""A whole cluster and a whole cloud on a virtual clock, under the shipped core and loop."""
