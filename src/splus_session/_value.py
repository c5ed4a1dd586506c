"""The decorator of every value in this package: immutable to the type checker, cheap at run time.

A class made with `attrs.frozen` pays about a microsecond in its constructor for
`object.__setattr__`. A step of the core makes several such values, so they are frozen for mypy
and pyright only; a test proves that nothing assigns to one. Values compare, hash and print by
their fields.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import frozen as value
else:
    import functools

    import attrs

    value = functools.partial(attrs.define, unsafe_hash=True, weakref_slot=False)

__all__ = ["value"]
