"""The guides for providers: their `.env` lines start the server, and what they tell to register is what is sent."""

import re
from pathlib import Path

import pytest

from server.identity.oidc import errors
from server.identity.oidc.registration import Registration
from server.settings import Settings, load_settings

GUIDES = sorted((Path(__file__).parents[2] / "docs" / "guides").glob("sign-in-with-*.md"))
ANY = next(guide for guide in GUIDES if guide.stem.endswith("any-provider"))

BLOCKS = [
    pytest.param(guide, block, id=f"{guide.stem}-{number}")
    for guide in GUIDES
    for number, block in enumerate(re.findall(r"```dotenv\n(.*?)```", guide.read_text("utf-8"), re.DOTALL))
]


def settings_of(block: str, folder: Path) -> Settings:
    """Read a block as the server does: from a file `.env` in the working directory."""
    (folder / ".env").write_text(block, encoding="utf-8")
    return load_settings()


def test_there_is_a_guide_for_each_provider() -> None:
    assert [guide.stem.removeprefix("sign-in-with-") for guide in GUIDES] == [
        "any-provider",
        "auth0",
        "entra",
        "google",
        "okta",
    ]
    assert {guide for guide in GUIDES if any(block.values[0] == guide for block in BLOCKS)} == set(GUIDES)


@pytest.mark.parametrize(("guide", "block"), BLOCKS)
def test_the_lines_of_a_guide_start_the_server_and_name_the_redirect_uri(
    guide: Path,
    block: str,
    tmp_path: Path,
    nothing_set: None,  # noqa: ARG001 - for its effect
) -> None:
    settings = settings_of(block, tmp_path)
    registration = Registration.of(settings)
    text = guide.read_text("utf-8")
    assert settings.oauth_provider == guide.stem.removeprefix("sign-in-with-").replace("any-provider", "oidc")
    assert re.search(
        rf"^ *{re.escape(registration.redirect_uri)}$|`{re.escape(registration.redirect_uri)}`", text, re.MULTILINE
    )
    if settings.oauth_provider != "google":
        assert registration.post_logout_redirect_uri in text
    names = {line.partition("=")[0] for line in block.splitlines()}
    assert names <= {name.upper() for name in Settings.model_fields}


def test_every_page_of_a_failure_is_in_the_table() -> None:
    table = ANY.read_text("utf-8").partition("## When it fails")[2]
    titles = [str(vars(kind)["title"]) for kind in vars(errors).values() if "title" in getattr(kind, "__dict__", ())]
    assert len(titles) > 8
    for title in titles:
        assert f"| {title.replace('{provider}', '…')} |" in table
