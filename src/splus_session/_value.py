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
    import operator

    import attrs

    def value(cls: type) -> type:
        """Make a class of values."""
        # attrs would compile a `__repr__`, an `__eq__` and a `__hash__` for each of some sixty
        # classes: two thirds of what importing the library would cost.
        own_repr = "__repr__" in vars(cls)
        made = attrs.define(cls, eq=False, repr=False, weakref_slot=False)
        made.__eq__, made.__hash__ = _comparison([field.name for field in attrs.fields(made)])
        if not own_repr:
            made.__repr__ = _repr
        return made

    def _comparison(names: list[str]) -> tuple[object, object]:
        if len(names) > 1:
            contents = operator.attrgetter(*names)
        else:

            def contents(self: object) -> tuple[object, ...]:
                return tuple(getattr(self, name) for name in names)

        def equal(self: object, other: object) -> bool:
            return contents(self) == contents(other) if type(self) is type(other) else NotImplemented

        def digest(self: object) -> int:
            return hash((type(self), contents(self)))

        return equal, digest

    def _repr(self: object) -> str:
        fields = (field.name for field in attrs.fields(type(self)) if field.repr)
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in fields)
        return f"{type(self).__name__}({shown})"


__all__ = ["value"]
