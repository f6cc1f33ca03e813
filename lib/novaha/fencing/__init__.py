"""What makes a Python program a fence agent (FenceAgentAPI); the standard library only."""
