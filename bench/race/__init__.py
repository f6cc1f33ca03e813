"""The race: tools that bring the instances of a lost host back, on the same Nova, side by side.

`__main__` is the command. `heat` runs one contender once; `contenders` has all of them, `judge` and
`counting` measure from outside, `stage` is the cluster they run on. `stats`, `goals`, `tables` and
`pictures` make the report from what `results` keeps; they are pure.
"""
