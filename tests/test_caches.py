"""What functions remember of requests: never without a bound."""

import importlib
import pkgutil
from types import ModuleType

import pytest

import server.handlers
import server.oauth
import server.transport


@pytest.mark.parametrize("room", [server.handlers, server.oauth, server.transport], ids=lambda room: room.__name__)
def test_every_function_that_remembers_forgets_as_well(room: ModuleType) -> None:
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")
    ]
    limits = {
        f"{module.__name__}.{name}": found.cache_parameters()["maxsize"]
        for module in modules
        for name, found in vars(module).items()
        if hasattr(found, "cache_parameters")
    }
    assert limits
    assert {name for name, limit in limits.items() if limit is None} == set()
