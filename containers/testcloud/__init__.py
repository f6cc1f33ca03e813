"""A real Pacemaker and OpenStack cluster in containers on one machine."""
