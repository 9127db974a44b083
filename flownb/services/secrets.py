"""Secrets by name: a workflow holds `secret://name`, and the value is looked up just before it is used.

Where it is looked for, unless the run brings a service of its own (`services={"secrets": …}`), in this order:

1. the environment: `FLOWNB_SECRET_<NAME>` (upper case, `_` for `.` and `-`), then the variable that is called exactly
   like the secret, as `OPENAI_API_KEY`;
2. what `FLOWNB_SECRETS` names: a TOML file, or a directory with one file a secret, as Docker and Kubernetes mount them;
3. `.flownb/secrets.toml` and the directory `.flownb/secrets/`, which only their owner may be able to read;
4. `/run/secrets/`, where Docker puts them;
5. the keyring of the desktop, under the service `flownb` (`pip install 'flownb[keyring]'`).

A value that was looked up is masked from then on in everything that this process records or shows (`masking`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from flownb.errors import InvalidInput, NotFound, UsageError, near_names
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: How a reference begins.
SCHEME: Final = "secret://"
#: The name of the service, on a flow or a run.
SERVICE: Final = "secrets"
_NAME: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
NAME: Final = re.compile(_NAME)
REFERENCE: Final = re.compile(rf"{SCHEME}({_NAME})")


@runtime_checkable
class Secrets(Protocol):
    """Where secrets come from. A mapping of names to values will do as well."""

    def get(self, name: str) -> str | bytes | None:
        """The value; None where there is no secret of that name. It may be called from any thread, and may block."""
        ...


class Source(Secrets, Protocol):
    """One of the places where flownb looks by itself; it can say what it has and where it looked."""

    def names(self) -> Iterable[str]:
        """The names that there are, as far as they can be told."""
        ...

    def looked(self, name: str) -> str:
        """Where the secret would have been, for a message: names of variables and files, never a value."""
        ...


def is_reference(value: object) -> bool:
    """Whether a value is the name of a secret, as `secret://crm_token`, and nothing else."""
    return type(value) is str and value.startswith(SCHEME) and REFERENCE.fullmatch(value) is not None


def name_of(text: str) -> str:
    """The name that a reference or a bare name gives.

    Raises:
        InvalidInput: it is neither.
    """
    name = text.removeprefix(SCHEME) if isinstance(text, str) else ""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{text!r:.80} names no secret: a name has letters, digits, '_', '.' and '-', as crm_token or "
            "secret://crm_token.",
            name="secret",
        )
    return name


class Chain:
    """Several places, one after the other."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources

    def get(self, name: str) -> str | bytes | None:
        """The value in the first place that has it."""
        for source in self.sources:
            if (value := source.get(name)) is not None:
                return value
        return None

    def names(self) -> list[str]:
        """All names, each once."""
        return list(dict.fromkeys(name for source in self.sources for name in source.names()))

    def looked(self, name: str) -> str:
        """All places."""
        return "; ".join(filter(None, (source.looked(name) for source in self.sources)))


def usual() -> Chain:
    """The places where flownb looks by itself, in their order."""
    from flownb.services.environment import Environment
    from flownb.services.keyring import Keyring
    from flownb.services.secret_files import secret_files

    return Chain([Environment(), *secret_files(), Keyring()])


def resolve(
    text: str, service: Any = None, *, learn: Callable[[str, str | bytes], None] = masking.learn
) -> str | bytes:
    """The value of a secret, which is masked from now on wherever this process writes.

    Args:
        text: a reference or a name.
        service: where it comes from: a `Secrets`, or a mapping of names to values; None for the usual places.
        learn: told the value before anybody has it.

    Raises:
        NotFound: there is none of that name; the message lists near names and says where it was looked for.
        UsageError: it is empty, or its service gives something that is no text; or a file of secrets can't be used.
    """
    name = name_of(text)
    source = service_of(service)
    value = source.get(name)
    if value is None:
        raise _unknown(name, source)
    if not isinstance(value, str | bytes):
        raise UsageError(f"The secret {name!r} is a {type(value).__name__}; a service of secrets gives text or bytes.")
    if not value:
        raise UsageError(f"The secret {name!r} is empty. {_looked(source, name)}".strip())
    learn(name, value)
    return value


def as_text(name: str, value: str | bytes) -> str:
    """The value as text.

    Raises:
        UsageError: it is bytes that are no text.
    """
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise UsageError(
            f"The secret {name_of(name)!r} is no text; flownb.secret({name_of(name)!r}, binary=True) gives its bytes."
        ) from None


def as_bytes(value: str | bytes) -> bytes:
    """The value as bytes."""
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def service_of(service: Any) -> Secrets:
    """What gives the secrets.

    Raises:
        UsageError: the object that was given as the service can't.
    """
    if service is None:
        return usual()
    if isinstance(service, Mapping) or callable(getattr(service, "get", None)):
        found: Secrets = service
        return found
    raise UsageError(
        f"services={{'secrets': …}} is a {type(service).__name__}; it must have get(name), or be a dict of names to "
        "values."
    )


def _unknown(name: str, source: Any) -> NotFound:
    listed: Callable[[], Iterable[str]] | None = getattr(source, "names", getattr(source, "keys", None))
    near = near_names(name, listed() if listed is not None else ())
    return NotFound(f"There is no secret {name!r}.{near} {_looked(source, name)}".rstrip(), name=name)


def _looked(source: Any, name: str) -> str:
    looked = getattr(source, "looked", None)
    if looked is None:
        return f"It was looked for in the service that the run was given ({type(source).__name__})."
    return f"It was looked for in: {looked(name)}."


def has_reference(value: Any) -> bool:
    """Whether a reference stands somewhere in plain data, alone or inside other text."""
    if isinstance(value, str):
        return SCHEME in value
    if isinstance(value, Mapping):
        return any(map(has_reference, value.values()))
    return isinstance(value, list | tuple) and any(map(has_reference, value))
