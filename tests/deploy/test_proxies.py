"""The proxies' examples and their guide fit the program; that they work is proved with the proxies themselves."""

import re
from pathlib import Path

import pytest

from server.routes import routes
from server.settings import Settings, load_settings
from server.transport.sse import KEEP_ALIVE

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/behind-a-proxy.md").read_text(encoding="utf-8")
EXAMPLES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "deploy").iterdir() if path.is_file()}


def default(name: str) -> str:
    return str(Settings.model_fields[name].default)


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile", "cloudflared.yml"])
def test_each_leads_to_where_the_server_listens_by_default(name: str) -> None:
    assert f"{default('host')}:{default('port')}" in EXAMPLES[name]


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile", "cloudflared.yml"])
@pytest.mark.usefixtures("nothing_set")
def test_the_settings_that_go_with_each_are_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = dict(re.findall(r"\b(TRUSTED_PROXIES|CLIENT_IP_HEADER)=([\w.:,-]+\w)", EXAMPLES[name]))
    assert lines
    for variable, value in lines.items():
        monkeypatch.setenv(variable, value)
    assert {str(network) for network in load_settings().trusted_proxies} == {"127.0.0.1/32", "::1/128"}


def test_the_tunnel_ends_with_a_rule_for_everything_else() -> None:
    rules = re.findall(r"^  - (\w+): (\S+)", EXAMPLES["cloudflared.yml"], re.MULTILINE)
    assert rules == [("hostname", "mcp.example.com"), ("service", "http_status:404")]


def test_streams_speak_often_enough_for_each_time_out() -> None:
    seconds = re.search(r"proxy_read_timeout (\d+)s", EXAMPLES["nginx.conf"])
    assert seconds is not None
    assert int(seconds[1]) > KEEP_ALIVE * 2
    assert f"a comment every {KEEP_ALIVE:.0f} seconds" in GUIDE


@pytest.mark.usefixtures("nothing_set")
def test_the_guide_says_of_every_path_whether_it_may_be_cached_or_challenged() -> None:
    table = GUIDE.partition("## What a proxy must leave alone")[2].partition("\n- ")[0]
    named = [re.escape(path).replace(r"\*", ".*") for path in re.findall(r"`(/[^`]*)`", table)]
    settings = load_settings(oauth_provider="demo")
    paths = {route.path for route in routes(settings)} - {"/"}
    missing = {path for path in paths if not any(re.match(pattern, path) for pattern in named)}
    assert not missing
