"""What checking a value came to."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that is wrong with a value."""

    #: Where, with dots, as `lines.0.price`; empty for the whole.
    path: str
    #: What is said of that place, as `is missing`.
    says: str

    def __str__(self) -> str:
        return f"{self.path or 'it'} {self.says}"

    def below(self, path: str) -> Fault:
        """The same, seen from further out."""
        return Fault(inside(path, self.path) if self.path else path, self.says)


class ValidationResult(NamedTuple):
    """Whether a value has the form that it should have; true where it has."""

    faults: tuple[Fault, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether there is no fault."""
        return not self.faults

    @property
    def errors(self) -> list[str]:
        """The faults as text, each with its dotted path."""
        return [str(each) for each in self.faults]

    def __bool__(self) -> bool:
        return not self.faults


def inside(path: str, name: object) -> str:
    """The path of what lies in something."""
    return f"{path}.{name}" if path else str(name)
