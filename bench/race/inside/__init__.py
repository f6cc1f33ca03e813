"""Scripts that run inside a controller; each stands alone, with the standard library."""
