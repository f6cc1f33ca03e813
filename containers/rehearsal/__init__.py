"""Rehearsals on the container cluster: configure it, break it, and judge what follows.

Everything here looks at Pacemaker's and Nova's own state, never at nova-ha's logs.
"""
