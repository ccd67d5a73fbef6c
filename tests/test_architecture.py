"""The directions of imports, and which modules stay free of I/O and clocks."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

IO = {
    "asyncio",
    "socket",
    "ssl",
    "select",
    "selectors",
    "threading",
    "multiprocessing",
    "subprocess",
    "sqlmodel",
    "time",
}
RIMS = {  # modules that are there to touch sockets
    "srs/sip/transport.py",
    "srs/sip/streams.py",
    "srs/siprec/src.py",
    "srs/siprec/src_media.py",
    "srs/archive/worker.py",
    "rtp/receive.py",
    "rtp/send.py",
}
FORBIDDEN = {  # folder -> packages that it must not know
    "rtp": ("srs",),
    "srs/sip": ("srs.siprec", "srs.capture", "srs.archive", "rtp"),
    "srs/siprec": ("srs.capture", "srs.archive"),
    "srs/archive": ("srs.capture", "socket", "asyncio"),
}
PURE = ("srs/sip", "srs/siprec", "rtp")


def modules(*folders):
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(name):
    """The modules that a file imports, with the names that `from` takes."""
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(module, package):
    return module == package or module.startswith(package + ".")


@pytest.mark.parametrize("name", modules(*FORBIDDEN))
def test_imports_go_one_way(name):
    unwanted = {
        package for folder, packages in FORBIDDEN.items() if name.startswith(folder + "/") for package in packages
    }
    unwanted -= IO if name in RIMS else set()
    found = [module for module in imports(name) for package in unwanted if within(module, package)]
    assert not found, f"{name} must not import {found}"


@pytest.mark.parametrize("name", [name for name in modules(*PURE) if name not in RIMS])
def test_pure_modules_touch_no_socket_and_no_clock(name):
    found = [module for module in imports(name) for package in IO if within(module, package)]
    assert not found, f"{name} must not import {found}"
    now = [node for node in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(node, ast.Attribute)]
    clocks = [node.attr for node in now if node.attr in ("now", "utcnow", "today")]
    assert not clocks, f"{name} reads a clock: {clocks}"


@pytest.mark.parametrize("name", [name for name in modules("srs/siprec") if name not in RIMS])
def test_siprec_opens_no_files(name):
    found = [module for module in imports(name) if within(module, "pathlib") or within(module, "os")]
    calls = [node for node in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(node, ast.Call)]
    opens = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "open"]
    assert not found
    assert not opens


def test_the_rims_exist():
    assert [name for name in sorted(RIMS) if not (ROOT / name).exists()] == []
