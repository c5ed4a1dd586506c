"""The TLA+ model, checked by TLC, and its whole graph compared with that of the real core.

`modules` writes what is made from the library: the table and the slices. `checker` runs TLC.
`graphs` compares what TLC saw with what the explorer finds in the code. `__main__` does all of it.
"""
