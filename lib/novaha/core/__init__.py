"""Pure decisions: no I/O, no clock, no logging, nothing but values in and values out."""
