"""What the documentation says is there is there."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.cli import main
from server.oauth.audit import Kind
from server.routes import routes
from server.settings import Settings, load_settings
from server.storage.migrate import migrate
from tests.support import serve

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

REGISTRATION = dict.fromkeys(("oauth_client_id", "oauth_client_secret"), "x") | {
    "oauth_upstream_issuer": "https://id.example.com"
}

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def section(title: str) -> str:
    """Give the text under a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$\n(.*)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, f"README has no heading {title!r}"
    return re.split(rf"^#{{1,{len(found[1])}}} ", found[2], maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str, first: str) -> list[list[str]]:
    """Give the rows of the table whose first column has this heading."""
    lines = iter(text.splitlines())
    assert any(line.startswith(f"| {first} |") for line in lines), f"no table of {first}"
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def code(text: str) -> list[str]:
    """Give what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def typed(page: Path) -> str:
    """Give all that a page sets as code, inline or in blocks."""
    text = page.read_text(encoding="utf-8")
    return "\n".join([*code(_FENCE.sub("", text)), *(body for _, body in _FENCE.findall(text))])


def named(title: str, first: str) -> set[str]:
    """Give the names in the first column of a section's table."""
    return {code(row[0])[0] for row in table(section(title), first)}


def written(default: object) -> str:
    """Write a default as one would in ``.env``."""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def test_every_setting_is_documented_once() -> None:
    documented = named("Settings", "variable")
    assert documented == {name.upper() for name in Settings.model_fields}


def test_documented_defaults_are_those_of_the_settings() -> None:
    worked_out = {
        "SERVER_URL": "http://localhost:<PORT>",
        "OAUTH_ISSUER_URL": "SERVER_URL",
        "SECRET_KEY": "<database>.key",
    }
    for variable, default, _ in table(section("Settings"), "variable"):
        name = code(variable)[0]
        expected = worked_out.get(name) or written(Settings.model_fields[name.lower()].default)
        assert code(default) == ([expected] if expected else []), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_variable_that_is_named_exists(page: Path) -> None:
    known = {name.upper() for name in Settings.model_fields} | set(
        re.findall(r"^([A-Z_]+) [?:]?=", makefile(), re.MULTILINE)
    )
    constants = set(re.findall(r"^_?([A-Z]+(?:_[A-Z]+)+)\b", sources(), re.MULTILINE))
    assert set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", typed(page))) <= known | constants | {"PYTEST_ARGS"}


def test_every_endpoint_is_documented_and_every_documented_one_is_served() -> None:
    documented = {
        (method.strip(), code(row[0])[0])
        for row in table(section("Endpoints"), "method and path")
        for method in row[0].partition("`")[0].split(",")
    }
    served = {
        (route.method, route.path)
        for provider in ("demo", "local", "okta")
        for route in routes(load_settings(oauth_provider=provider, oauth_valid_scopes="read,openid", **REGISTRATION))
        if route.method not in {"OPTIONS", "*"} and not re.fullmatch(r"/\.well-known/.*(/mcp|\})", route.path)
    }
    assert documented == served


def test_every_event_of_the_audit_log_is_documented_once() -> None:
    documented = [name for row in table(section("The audit log"), "event") for name in code(row[0])]
    assert sorted(documented) == sorted(Kind)


def test_every_command_is_documented_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    documented = named("Command line", "command")
    assert documented == set(commands([], capsys))
    sentence = re.search(r"^All but (.*) take `--json`", section("Command line"), re.MULTILINE)
    assert sentence is not None
    assert set(code(sentence[1])) == {name for name in documented if "--json" not in help_of(name.split(), capsys)}


def commands(group: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Give every command below a group of them."""
    listed = re.findall(r"^    (\w+)(?:  |$)", help_of(group, capsys).partition("\ncommands:")[2], re.MULTILINE)
    found = [commands([*group, name], capsys) or [" ".join([*group, name])] for name in listed]
    return [name for names in found for name in names]


def help_of(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Give what ``--help`` prints."""
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    return capsys.readouterr().out


def makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "server").rglob("*.py")))


def test_every_make_target_is_documented_and_every_named_one_exists() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", makefile(), re.MULTILINE)
    assert phony is not None
    targets = set(phony[1].split())
    assert {name.removeprefix("make ") for name in named("Command line", "target")} == targets
    for page in PAGES:
        assert set(re.findall(r"\bmake ([a-z]+)", typed(page))) <= targets, page


def test_every_table_and_view_is_documented(tmp_path: Path) -> None:
    migrate(tmp_path / "server.db", 0)
    with closing(sqlite3.connect(tmp_path / "server.db")) as connection:
        inner = "SELECT name FROM pragma_table_list WHERE type = 'shadow'"
        own = f"SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT IN ({inner})"  # noqa: S608
        kept = set(connection.execute(own))
        for statement in re.findall(r"sqlite3 .*?data/server\.db \"([A-Z][^\"]+)\"", section("The database")):
            connection.execute(statement)
    documented = {("table", name) for name in named("The database", "table")}
    assert documented | {("view", name) for name in named("The database", "view")} == kept


def test_troubleshooting_has_a_section_for_each_symptom() -> None:
    headings = [title for marks, title in _HEADING.findall(section("Troubleshooting")) if marks == "###"]
    assert headings == [
        "OAuth not working",
        "Authorization page not loading",
        "Token issues",
        "Authorization failed",
    ]


def test_log_lines_to_look_for_are_logged() -> None:
    text = re.sub(r'"\s*\n\s*"', "", sources())
    lines = re.findall(r"\| ([^|]+) \|$", section("Troubleshooting"), re.MULTILINE)
    wanted = [line for cell in lines for line in code(cell)]
    assert len(wanted) > 20
    for line in wanted:
        if not re.fullmatch(r"[A-Z]+ /\w+ \d{3}|[\w-]+: …", line):
            said = re.sub(r"^(Page shown: 40[03]|/\w+ refused|Authorization refused): ", "", line)
            value = re.sub(r"(: )(\S+|…)$", r"\1", said)
            assert said in text or value in text or all(part in text for part in said.split(" … ")), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), target
        if anchor:
            titles = [title for _, title in _HEADING.findall(found.read_text(encoding="utf-8"))]
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


async def test_the_start_logs_the_lines_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shown = re.search(r"```text\n(.*?)```", section("Start it"), re.DOTALL)
    assert shown is not None
    with caplog.at_level("INFO"):
        async with serve(tmp_path, server_url="http://localhost:8000"):
            pass
    assert shown[1].splitlines() == [message for message in caplog.messages if message.startswith("OAuth ")]
