"""The one clock: times come in as arguments everywhere below `server.app`."""

from collections.abc import Callable

Clock = Callable[[], int]
"""Gives the current time in whole Unix seconds."""
