"""Settings read from file and environment, and what is said of wrong ones."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from srs.config import pages
from srs.config.explaining import explain, find_variable
from srs.config.settings import PREFIX, Settings, usual_data_dir
from srs.config.values import Section

PLACES = (Path("srs.toml"), Path("/etc/siprec-srs/srs.toml"))


class SettingsError(Exception):
    """A setting that cannot be used; the message names the place, the key and what is allowed."""


def find(config: Path | None = None) -> Path | None:
    """The settings file in use, if there is one."""
    named = config or (Path(os.environ["SRS_CONFIG"]) if os.environ.get("SRS_CONFIG") else None)
    return named or next((place for place in PLACES if place.is_file()), None)


def load(
    config: Path | None = None, data_dir: Path | None = None, from_pages: pages.Document | None = None
) -> Settings:
    """The settings of environment, file and pages.

    Args:
        config: the file, instead of the places where it is looked for.
        data_dir: wins over file and environment.
        from_pages: instead of what `pages.toml` says, to see whether it would do.

    Raises:
        SettingsError: a file that cannot be read, an unknown key, a value that is not allowed.
    """
    path = find(config)
    document = _read(path) if path else {}
    if data_dir is not None:
        document["data_dir"] = data_dir
    folder = data_folder(document)
    beneath = _of_pages(folder) if from_pages is None else from_pages
    together = pages.merge(beneath, document)
    try:
        settings = Settings(**together)
    except ValidationError as error:
        told = (
            explain(detail, Settings, PREFIX, _file(detail, path, document, folder), together)
            for detail in error.errors()
        )
        raise SettingsError("\n".join(told)) from error
    return settings if data_dir is None else settings.model_copy(update={"data_dir": data_dir.expanduser().absolute()})


def data_folder(document: Mapping[str, Any]) -> Path:
    """The data folder, where it is needed to know the other settings: as environment and file have it, or the usual."""
    named = document.get("data_dir")
    variable = find_variable(PREFIX, ["data_dir"], os.environ)
    if variable and not isinstance(named, Path):
        named = os.environ[variable]
    return Path(named).expanduser().absolute() if isinstance(named, str | Path) else usual_data_dir()


def _file(detail: ErrorDetails, path: Path | None, document: Mapping[str, Any], folder: Path) -> Path | None:
    """Which file says what is wrong."""
    names = [part for part in detail["loc"] if isinstance(part, str)]
    return folder / pages.NAME if _value(document, names[:2]) is None and _value(_of_pages(folder), names[:2]) else path


def _of_pages(folder: Path) -> dict[str, Any]:
    path = folder / pages.NAME
    try:
        return pages.read(folder)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error


def _value(document: object, names: Sequence[str]) -> object | None:
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error


def names() -> Iterator[tuple[str, str]]:
    """Name (`sip.listen`) and meaning of each setting."""
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            for inner, inner_field in field.annotation.model_fields.items():
                yield f"{name}.{inner}", inner_field.description or ""
        else:
            yield name, field.description or ""


def origin(name: str, config: Path | None = None, data_dir: Path | None = None) -> str:
    """Where the value of a setting comes from: `environment SRS_…`, a file's name, `--data` or `default`."""
    return origins(config, data_dir)(name)


def origins(config: Path | None = None, data_dir: Path | None = None) -> Callable[[str], str]:
    """The same for many settings, with the files as they are now."""
    path = find(config)
    document = _read(path) if path else {}
    folder = data_dir or data_folder(document)
    of_pages = _of_pages(folder)

    def found(name: str) -> str:
        parts = name.split(".")
        if name == "data_dir" and data_dir is not None:
            return "--data"
        if variable := find_variable(PREFIX, parts, os.environ):
            return f"environment {variable}"
        if _value(document, parts) is not None:
            return str(path)
        return str(folder / pages.NAME) if _value(of_pages, parts) is not None else "default"

    return found
