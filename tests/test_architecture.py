"""The directions of imports, and which modules stay free of I/O and clocks."""

import ast
from fnmatch import fnmatch
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
RIMS = (  # modules that are there to touch sockets and files
    "srs/sip/transport.py",
    "srs/sip/streams.py",
    "srs/sip/connection.py",
    "srs/sip/held.py",
    "srs/sip/securing.py",
    "srs/sip/sockets.py",
    "srs/sip/tls.py",
    "srs/siprec/src*.py",
    "rtp/port.py",
    "rtp/receive.py",
    "rtp/send.py",
)
CONVERSIONS = {
    "inet_pton",
    "inet_ntop",
    "AF_INET",
    "AF_INET6",
}  # of addresses; what the module socket has that is no I/O
FORBIDDEN = {  # folder -> packages that it must not know
    "rtp": ("srs",),
    "srs/sip": ("srs.siprec", "srs.capture", "srs.archive", "rtp"),
    "srs/siprec": ("srs.capture", "srs.archive"),
    "srs/archive": ("srs.capture", "srs.handoff", "srs.privacy", "srs.live", "socket", "asyncio"),
    "srs/handoff": ("srs.capture", "srs.sip", "srs.siprec", "srs.privacy", "srs.web", "srs.commands"),
    "srs/privacy": ("srs.capture", "srs.web", "srs.live", "srs.commands", "srs.cli", "socket"),
    "srs/web": ("srs.capture", "srs.commands", "srs.cli"),
    "srs/live": ("srs.capture", "srs.handoff", "srs.web", "srs.commands", "srs.cli"),
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


def touched(name):
    """The modules with I/O that a file imports, save socket where it only converts addresses."""
    found = {module for module in imports(name) for package in IO if within(module, package)}
    tree = ast.parse((ROOT / name).read_text())
    attributes = [
        node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    sockets = {node.attr for node in attributes if node.value.id == "socket"}
    return found - ({"socket"} if sockets <= CONVERSIONS else set())


def is_rim(name):
    return any(fnmatch(name, rim) for rim in RIMS)


def within(module, package):
    return module == package or module.startswith(package + ".")


@pytest.mark.parametrize("name", modules(*FORBIDDEN))
def test_imports_go_one_way(name):
    unwanted = {
        package for folder, packages in FORBIDDEN.items() if name.startswith(folder + "/") for package in packages
    }
    unwanted -= IO if is_rim(name) else set()
    found = [module for module in imports(name) for package in unwanted if within(module, package)]
    assert not found, f"{name} must not import {found}"


@pytest.mark.parametrize("name", [name for name in modules(*PURE) if not is_rim(name)])
def test_pure_modules_touch_no_socket_and_no_clock(name):
    assert not touched(name)
    now = [node for node in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(node, ast.Attribute)]
    clocks = [node.attr for node in now if node.attr in ("now", "utcnow", "today")]
    assert not clocks, f"{name} reads a clock: {clocks}"


@pytest.mark.parametrize("name", [name for name in modules("srs/siprec") if not is_rim(name)])
def test_siprec_opens_no_files(name):
    found = [module for module in imports(name) if within(module, "pathlib") or within(module, "os")]
    calls = [node for node in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(node, ast.Call)]
    opens = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "open"]
    assert not found
    assert not opens


@pytest.mark.parametrize("rim", RIMS)
def test_the_rims_exist(rim):
    assert list(ROOT.glob(rim))
