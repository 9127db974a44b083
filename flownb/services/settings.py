"""The operator's settings, `settings.toml` beside the keys of a store: a table for each part that has any.

```toml
[public]
url = "https://flows.example.org"

[approvals]
trust_claims = ["ci"]
```
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import UsageError
from flownb.store import place

if TYPE_CHECKING:
    from flownb.store.contract import Store

FILE: Final = "settings.toml"


def settings_of(store: Store) -> Path | None:
    """Where the settings of a store are; None where it has no place."""
    keys = store.keys.path
    return None if keys is None else keys.with_name(FILE)


def usual_settings() -> Path:
    """Where the settings of the usual store are, whether there is one or not; for who has no store yet."""
    url = os.environ.get(place.VARIABLE)
    if url:
        try:
            file = place.parse(url)
        except UsageError:
            file = None
        if file is not None:
            return file.with_name(FILE)
    here = Path.cwd()
    homes = (each / place.HOME for each in (here, *here.parents))
    return next((home for home in homes if home.is_dir()), here / place.HOME) / FILE


def section(settings: Path | None, name: str) -> dict[str, Any]:
    """One table of the settings; empty where there is none.

    Raises:
        UsageError: they can't be read, or are no TOML, or that part is no table.
    """
    if settings is None:
        return {}
    try:
        there = settings.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"The settings {settings} can't be read: {error}.") from error
    found = _read(settings, (there.st_ino, there.st_size, there.st_mtime_ns)).get(name, {})
    if not isinstance(found, dict):
        raise UsageError(f"The settings {settings} have an `{name}` that is no table.")
    return found


@lru_cache(maxsize=8)
def _read(settings: Path, version: object) -> dict[str, Any]:
    """What is in a file, which is read once as long as it stays what it is; nobody changes it."""
    del version
    try:
        text = settings.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings {settings} can't be read: {error}.") from error
    import tomllib  # only where there are settings

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The settings {settings} are no TOML: {error}.") from error
