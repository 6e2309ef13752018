"""The SDK's settings say what ours say."""

import pytest

from server.library import auth_settings
from server.settings import load_settings

pytestmark = pytest.mark.usefixtures("nothing_set")


def test_issuer_and_resource_are_written_exactly_as_ours() -> None:
    settings = load_settings(server_url="https://tools.example", oauth_issuer_url="https://login.example")
    auth = auth_settings(settings)
    assert (str(auth.issuer_url), str(auth.resource_server_url)) == (settings.issuer, settings.resource)
    assert auth.validate_token_resource is True


def test_scopes_are_ours_and_none_is_required_unless_named() -> None:
    settings = load_settings()
    registration = auth_settings(settings).client_registration_options
    assert registration is not None
    assert registration.valid_scopes == list(settings.oauth_valid_scopes)
    assert registration.default_scopes == list(settings.oauth_default_scopes)
    assert auth_settings(settings).required_scopes is None
    assert auth_settings(settings, ("read", "write")).required_scopes == ["read", "write"]


def test_registration_is_open_only_where_ours_is() -> None:
    for policy in ("open", "off"):
        options = auth_settings(load_settings(oauth_dcr=policy)).client_registration_options
        assert options is not None
        assert options.enabled is (policy == "open")
