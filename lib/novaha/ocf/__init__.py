"""What makes a Python program an OCF 1.1 resource agent; the standard library only."""
