"""What people have set on the pages: `pages.toml` in the data folder, beneath the settings file.

What the environment or the settings file says of the same setting wins, and the pages do not offer to change it.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

NAME: Final = "pages.toml"
_HEAD: Final = "# Written by the recorder's pages. What the settings file says of the same setting wins.\n\n"

Document = Mapping[str, Any]
"""As TOML has it: names to values, tables and lists of tables."""


def read(data_dir: Path) -> dict[str, Any]:
    """
    Raises:
        OSError: the file is there and cannot be read.
        tomllib.TOMLDecodeError, UnicodeDecodeError: it is not TOML.
    """
    try:
        return tomllib.loads((data_dir / NAME).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def write(data_dir: Path, document: Document) -> None:
    """Put the file in place whole, on the disk, for nobody else to read: there may be passwords in it.

    Raises:
        OSError: it is as it was.
    """
    import tomli_w  # only the pages write

    part = data_dir / f"{NAME}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_HEAD + tomli_w.dumps(dict(document)))
        file.flush()
        os.fsync(file.fileno())
    part.replace(data_dir / NAME)


def merge(beneath: Document, above: Document) -> dict[str, Any]:
    """Both; where they speak of the same setting, the one above."""
    merged = dict(beneath)
    for name, value in above.items():
        below = merged.get(name)
        merged[name] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
