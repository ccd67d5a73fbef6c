"""Settings from file and environment, and what is said of wrong ones."""

import os
import re
from pathlib import Path
from textwrap import dedent

import pytest

from srs.config import Settings, SettingsError, load, loading, names, origin, pages

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """No settings but those of the test."""
    for name in [name for name in os.environ if name.upper().startswith("SRS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loading, "PLACES", (Path("srs.toml"),))


@pytest.fixture
def toml(tmp_path: Path):
    def write(text: str, name: str = "srs.toml") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_defaults_without_any_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    settings = load()
    assert settings.data_dir == tmp_path / "xdg" / "siprec-srs"
    assert settings.sip.listen == ["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"]
    assert settings.media.port_range == (16384, 32766)
    assert settings.media.workers == len(os.sched_getaffinity(0))
    assert (settings.audio.format, settings.audio.channels) == ("wav", "stereo")
    assert settings.database_url == f"sqlite:///{settings.data_dir}/recordings.sqlite"
    assert settings.store_url == f"file://{settings.data_dir}/audio"


def test_the_file_named_comes_before_the_environment_s_before_the_one_here(toml, monkeypatch: pytest.MonkeyPatch):
    toml('data_dir = "here"')
    assert load().data_dir == Path.cwd() / "here"
    monkeypatch.setenv("SRS_CONFIG", str(toml('data_dir = "env"', "env.toml")))
    assert load().data_dir == Path.cwd() / "env"
    assert load(toml('data_dir = "named"', "named.toml")).data_dir == Path.cwd() / "named"


def test_the_environment_wins_over_the_file_and_data_over_both(toml, monkeypatch: pytest.MonkeyPatch):
    toml('data_dir = "file"\n[sip]\nadvertise = "192.0.2.1"\n[media]\nworkers = 3')
    monkeypatch.setenv("SRS_DATA_DIR", "~/env")
    monkeypatch.setenv("SRS_MEDIA__WORKERS", "5")
    settings = load()
    assert settings.data_dir == Path.home() / "env"
    assert (settings.media.workers, settings.sip.advertise) == (5, "192.0.2.1")
    assert load(data_dir=Path("option")).data_dir == Path.cwd() / "option"


@pytest.mark.parametrize(
    "value",
    [
        '["udp://127.0.0.1:5060", "tcp://[::1]:5062"]',
        "udp://127.0.0.1:5060,tcp://[::1]:5062",
        " udp://127.0.0.1 , tcp://[::1]:5062,",
    ],
)
def test_lists_in_the_environment(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SRS_SIP__LISTEN", value)
    assert load().sip.listen == ["udp://127.0.0.1:5060", "tcp://[::1]:5062"]


WRONG = [
    ("color = 1", "color: no such setting; the settings here are data_dir, sip"),
    ("[sip]\nlisten_on = 1", "[sip] listen_on: no such setting; the settings of [sip] are listen, advertise"),
    ("sip = 3", "sip: must be a section with settings"),
    ('[sip]\nlisten = ["udp://here:5060"]', "[sip] listen: must be like"),
    ('[sip]\nlisten = ["sctp://127.0.0.1:5060"]', "[sip] listen: must be like"),
    ('[sip]\nlisten = ["udp://127.0.0.1:70000"]', "[sip] listen: must be like"),
    ("[sip]\nlisten = []", "[sip] listen: Value should have at least 1 item"),
    ('[sip]\nallow = ["10.0.0.1/8"]', "[sip] allow: must be a network such as"),
    ('[sip]\nadvertise = "me.example.com"', "[sip] advertise: must be an IPv4 or IPv6 address"),
    ('[media]\nports = "16385-20000"', "[media] ports: must be"),
    ('[media]\nports = "80-20000"', "[media] ports: must be"),
    ('[media]\nports = "20000-16384"', "[media] ports: must be"),
    ('[media]\nports = "16384-70000"', "[media] ports: must be"),
    ('[media]\nworkers = "many"', "[media] workers: Input should be a valid integer"),
    ("[media]\nworkers = 0", "[media] workers: Input should be greater than or equal to 1"),
    ('[audio]\nformat = "ogg"', "[audio] format: Input should be 'wav', 'flac', 'mp3' or 'opus' (found 'ogg')"),
    ("a = = b", "not valid TOML"),
    ('data_dir = "\\udcff"', "not valid TOML"),
]

RULES = "[[retention.rule]]\nname = 'hr'\n{}", "[[mail.rule]]\nname = 'hr'\nto = 'a@b.c'\n{}"
WRONG_IN_RULES = [
    (
        RULES[0].format("keep_dayz = 3"),
        "[[retention.rule]] hr: keep_dayz: no such setting; the settings of [[retention.",
    ),
    (
        RULES[0].format("match = {numbr = '1'}"),
        "[[retention.rule]] hr: match.numbr: no such setting; the settings of [re",
    ),
    (RULES[1].format("[[mail.rule]]\nto = 'a@b.c'"), "[[mail.rule]] number 2: name: Field required"),
    (RULES[1].format("").replace("a@b.c", "ab"), "[[mail.rule]] hr: to: must be an address"),
    (
        "[[peer]]\nname = 'pbx'\nadress = 'x'",
        "[[peer]] pbx: adress: no such setting; the settings of [[peer]] are name",
    ),
]


@pytest.mark.parametrize(("text", "words"), WRONG + WRONG_IN_RULES)
def test_what_is_wrong_is_named_with_file_and_key(text: str, words: str, toml):
    path = toml(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith("srs.toml: ")
    assert words in str(caught.value)
    with pytest.raises(SettingsError, match=str(path)):
        load(path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SRS_SIP__LISTEN", '["udp://127.0.0.1:5060"', "is not a JSON list"),
        ("SRS_SIP__LISTNE", "x", "no such setting"),
        ("SRS_AUDIO__FORMAT", "ogg", "should be 'wav'"),
        ("srs_media__ports", "1-2", "must be"),
        ("SRS_MAIL__RULE", '[{"name": "hr"}]', r"\[\[mail.rule\]\] number 1: to: Field required"),
    ],
)
def test_what_is_wrong_is_named_with_its_variable(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^environment {name}: .*{words}"):
        load()


def test_every_mistake_is_told_at_once(toml):
    toml('[audio]\nformat = "ogg"\nchannels = "quad"')
    with pytest.raises(SettingsError) as caught:
        load()
    assert len(str(caught.value).splitlines()) == 2


def test_variables_that_others_set_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    before = load()
    monkeypatch.setenv("SRS_PORT_5060_UDP_ADDR", "10.0.0.1")  # as Kubernetes sets for a service named srs
    assert load() == before


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"none\.toml: No such file"):
        load(tmp_path / "none.toml")


def test_the_origin_of_each_value(toml, monkeypatch: pytest.MonkeyPatch):
    toml('[audio]\nformat = "flac"\n[sip]\nallow = []')
    monkeypatch.setenv("SRS_MEDIA__WORKERS", "2")
    assert origin("audio.format") == origin("sip.allow") == "srs.toml"
    assert origin("media.workers") == "environment SRS_MEDIA__WORKERS"
    assert origin("media.ports") == "default"
    assert origin("data_dir", data_dir=Path("x")) == "--data"


def default(name: str) -> str:
    """As TOML has it; empty where it depends on the machine, or there is none."""
    field = Settings.model_fields[name.split(".")[0]]
    if "." in name:
        field = field.annotation.model_fields[name.split(".")[1]]
    if field.default_factory is not None or field.default is None:
        return ""
    return f"`{str(field.default).replace(chr(39), chr(34))}`"


def test_what_the_pages_say_is_beneath_the_file(toml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = toml(f'data_dir = "{tmp_path}"\n[retention]\nkeep_days = 5')
    pages.write(
        tmp_path, {"retention": {"keep_days": 9, "when_full": "prune"}, "group": [{"name": "g", "extensions": ["1"]}]}
    )
    settings = load(path)
    assert (settings.retention.keep_days, settings.retention.when_full) == (5, "prune")
    assert settings.group[0].name == "g"
    assert origin("retention.keep_days", path) == str(path)
    assert origin("group", path) == str(tmp_path / "pages.toml")
    assert (tmp_path / "pages.toml").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("SRS_RETENTION__WHEN_FULL", "refuse")
    assert load(path).retention.when_full == "refuse"
    monkeypatch.setenv("SRS_DATA_DIR", str(tmp_path / "elsewhere"))
    assert load(path).group == []


@pytest.mark.parametrize(
    ("text", "words"), [("[retention]\nkeep_days = -1", "[retention] keep_days"), ("x = [", "not valid TOML")]
)
def test_what_is_wrong_on_the_pages_is_named_with_their_file(text: str, words: str, tmp_path: Path):
    (tmp_path / "pages.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"pages\.toml: ") as told:
        load(data_dir=tmp_path)
    assert words in str(told.value)


def test_the_docs_list_every_setting_with_its_default_and_meaning():
    expected = [f"| `{name}` | {default(name)} | {meaning} |" for name, meaning in names()]
    table = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert table == expected


PAGES = sorted(path for path in DOCS.parent.rglob("*.md") if "```toml" in path.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_docs_show_can_be_used(page: Path, toml):
    blocks = [dedent(block) for _, block in re.findall(r"( *)```toml\n(.*?)```", page.read_text(), re.DOTALL)]
    for block in blocks:
        if not block.startswith("[project."):  # of a package, not of ours
            load(toml(block))
