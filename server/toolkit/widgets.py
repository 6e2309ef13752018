"""Widgets: what a person sees of a tool's result, each one document that loads nothing (MCP Apps)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from server.toolkit.resources import Resource

MIME_TYPE = "text/html;profile=mcp-app"

_FOLDER = Path(__file__).parent.parent / "templates" / "widgets"


@dataclass(frozen=True)
class Widget:
    """A widget, by the script of its name in ``server/templates/widgets``."""

    name: str
    title: str
    description: str
    """What a model is told that it shows."""
    invoking: str
    """What a person reads while the tool works, at most 64 characters."""
    invoked: str
    """And once it has answered."""

    @cached_property
    def document(self) -> str:
        """The whole page: style, the host's bridge and the widget's own script, put together here and nowhere else."""
        frame = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
        parts = {part: _inline(f"{part}{ending}") for part, ending in (("style", ".css"), ("bridge", ".js"))}
        template = frame.from_string(_read("frame.html"))
        return template.render(title=self.title, script=_inline(f"{self.name}.js"), **parts)

    @cached_property
    def uri(self) -> str:
        """Where clients read it. They keep a document under its URI, so another document has another one."""
        digest = hashlib.sha256(self.document.encode()).hexdigest()[:12]
        return f"ui://att-mcp-server/{self.name}-{digest}.html"

    @property
    def tool_meta(self) -> Mapping[str, Any]:
        """What a tool's ``_meta`` says of its widget, in the words of the extension and in ChatGPT's."""
        return {
            "ui": {"resourceUri": self.uri},
            "openai/outputTemplate": self.uri,
            "openai/widgetAccessible": True,
            "openai/toolInvocation/invoking": self.invoking,
            "openai/toolInvocation/invoked": self.invoked,
        }

    def resource(self, origin: str) -> Resource:
        """Give what clients read under its URI.

        Args:
            origin: The server's own; ChatGPT shows the widget under a domain of its own for each.
        """

        async def read() -> str:
            return self.document

        return Resource(
            uri=self.uri,
            name=f"{self.name}-widget",
            title=self.title,
            description=self.description,
            read=read,
            mime_type=MIME_TYPE,
            meta={
                "ui": {"csp": {"connectDomains": [], "resourceDomains": []}, "prefersBorder": True},
                "openai/widgetDescription": self.description,
                "openai/widgetPrefersBorder": True,
                "openai/widgetCSP": {"connect_domains": [], "resource_domains": []},
                "openai/widgetDomain": origin,
            },
        )


STORES = Widget(
    "stores",
    "Stores",
    "Shows stores on a map and in a list, with filters, hours and services; the person can search around a store.",
    "Looking for stores",
    "Stores found",
)
PRODUCTS = Widget(
    "products",
    "Devices",
    "Shows devices side by side with prices and ratings; the person can filter them and open one.",
    "Looking through the devices",
    "Devices found",
)
DEVICE = Widget(
    "device",
    "Device",
    "Shows one device with its models, storage, colours and prices to choose from.",
    "Looking at the device",
    "Here is the device",
)
PLANS = Widget(
    "plans",
    "Plans",
    "Shows plans as cards, and up to three of them side by side.",
    "Looking through the plans",
    "Plans found",
)
COVERAGE = Widget(
    "coverage",
    "Home internet at an address",
    "Shows which home internet an address can have and with which plans; the person can check another address.",
    "Checking the address",
    "Address checked",
)
OFFERS = Widget(
    "offers",
    "Offers and services",
    "Shows offers or services with their prices and why each was chosen.",
    "Looking for offers",
    "Offers found",
)
ACCOUNT = Widget(
    "account",
    "Accounts and payment",
    "Shows the person's accounts, a payment to confirm or its receipt, or changed preferences; the person can pay.",
    "Opening the account",
    "Here is the account",
)
WIDGETS = (STORES, PRODUCTS, DEVICE, PLANS, COVERAGE, OFFERS, ACCOUNT)


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _inline(name: str) -> Markup:
    """Read a file of our own that goes into a page as it is."""
    text = _read(name)
    if "</" in text:
        raise ValueError(f"{name} would end its element")
    return Markup(text)  # noqa: S704 - see above
