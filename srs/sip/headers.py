"""The header fields of a message: texts under their names, in order, found whatever the case."""


class Headers:
    """A field may stand on several lines; its lines keep together, under the name that came first."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: dict[str, tuple[str, ...]] = {}
        """Name and lines: tuples of texts, in which nobody looks for garbage."""

    def add(self, name: str, value: str) -> None:
        """Add a line."""
        key = name.lower()
        self._fields[key] = (*self._fields.get(key, (name,)), value)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first line of a field."""
        field = self._fields.get(name.lower())
        return field[1] if field else default

    def getlist(self, name: str) -> list[str]:
        """All lines of a field."""
        return list(self._fields.get(name.lower(), ())[1:])

    def keys(self) -> list[str]:
        """The names of the fields."""
        return [name for name, *_ in self._fields.values()]

    def set(self, name: str, value: str) -> None:
        """Put one line in place of all of a field."""
        self.setlist(name, [value])

    def setlist(self, name: str, values: list[str]) -> None:
        """Put lines in place of all of a field."""
        self._fields[name.lower()] = (name, *values)

    def __getitem__(self, name: str) -> str:
        """The first line of a field.

        Raises:
            KeyError: there is none.
        """
        return self._fields[name.lower()][1]

    def __str__(self) -> str:
        lines = [f"{name}: {value}\r\n" for name, *values in self._fields.values() for value in values]
        return "".join([*lines, "\r\n"])
