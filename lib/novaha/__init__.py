"""nova-ha: instance high availability for OpenStack, inside Pacemaker."""
