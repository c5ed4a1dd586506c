"""The decorator of every value in this package: immutable to the type checker, cheap at run time.

A class made with `attrs.frozen` pays about a microsecond in its constructor for
`object.__setattr__`. A step of the core makes several such values, so they are frozen for mypy
and pyright only; a test proves that nothing assigns to one. Values compare, hash and print by
their fields.

Nor does attrs make these classes: there are some sixty, and each would cost a tenth of a
millisecond whenever the library is imported. Made by hand they cost a third of that, and are
attrs classes to whatever asks, such as `attrs.evolve`. Their defaults are plain: what needs
`attrs.field` is an `attrs.frozen`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import frozen as value
else:
    import operator

    import attrs

    def value(cls: type) -> type:
        """Make a class of values."""
        names = tuple(cls.__annotations__)
        body = {name: what for name, what in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        defaults = {name: body.pop(name) for name in names if name in body}
        equal, digest = _comparison(names)
        body |= {
            "__slots__": names,
            "__match_args__": names,
            "__attrs_attrs__": _Fields(cls),
            "__init__": _constructor(cls, names, defaults),
            "__eq__": equal,
            "__hash__": digest,
        }
        return type(cls.__name__, cls.__bases__, {"__repr__": _repr, **body})

    class _Fields:
        """What attrs knows of a class, found out when it is first asked for."""

        def __init__(self, cls: type) -> None:
            self._cls = cls

        def __get__(self, instance: object, owner: type) -> object:
            owner.__attrs_attrs__ = found = attrs.fields(attrs.define(self._cls))
            return found

    def _constructor(cls: type, names: tuple[str, ...], defaults: dict[str, object]) -> object:
        parameters = ["self", *(f"{name}=_[{name!r}]" if name in defaults else name for name in names)]
        assignments = [f"self.{name} = {name}" for name in names] or ["pass"]
        scope = {"_": defaults}
        source = f"def __init__({', '.join(parameters)}): {'; '.join(assignments)}"
        exec(source, scope)  # noqa: S102  as attrs does
        made = scope["__init__"]
        made.__qualname__ = f"{cls.__qualname__}.__init__"
        made.__annotations__ = {**cls.__annotations__, "return": None}
        return made

    def _comparison(names: tuple[str, ...]) -> tuple[object, object]:
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
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({shown})"


__all__ = ["value"]
