"""The rows of the catalogue, each with the fields that its file has; the schemas in ``data/`` are theirs."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

ProductType = Literal["wireless", "internet", "prepaid"]
DeviceType = Literal["phone", "tablet", "watch"]
ServiceCategory = Literal["wireless", "internet", "protection", "entertainment", "business"]

Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Key = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$", description="Letters, digits and . _ : / @ -; unique.")
]
Cents = Annotated[int, Field(strict=True, ge=0, le=100_000_000, description="US cents.")]
Names = Annotated[tuple[Name, ...], Field(max_length=100)]


class LatLong(NamedTuple):
    """A point in degrees; north and east are positive."""

    latitude: float
    longitude: float


class Part(BaseModel):
    """A part of a row: ``snake_case`` here, ``camelCase`` in files; what is not described is refused."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True)


class Row(Part):
    """One entry of the catalogue."""

    id: Key

    @property
    def title(self) -> str:
        """What a person would call it."""
        raise NotImplementedError

    def words(self) -> Iterator[str]:
        """Give the texts by which it is found, its title apart."""
        raise NotImplementedError

    def complete(self) -> "Row":
        """Give the row with what can be worked out of the rest of it."""
        return self

    @property
    def place(self) -> LatLong | None:
        """Where it is, if it is somewhere."""
        return None

    @property
    def group(self) -> str | None:
        """What those of one kind are told apart by when they are looked for on the map."""
        return None


class Plan(Row):
    """A plan on offer."""

    product_type: ProductType
    name: Name
    tier: Annotated[Name, Field(description="Where it stands among its product type.")]
    badge: Name | None = None
    price_cents: Cents
    original_price_cents: Annotated[Cents | None, Field(description="US cents before a reduction, or null.")] = None
    price_note: Annotated[Text, Field(description="What the price is for.")]
    features: Annotated[Names, Field(min_length=1)]

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    def words(self) -> Iterator[str]:
        """Give type, tier, price note and features."""
        yield from (f"{self.product_type} plan", self.tier, self.badge or "", self.price_note, *self.features)


class Colour(Part):
    """A colour that a device comes in."""

    name: Name
    hex: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$", description="For a swatch.")]


class Storage(Part):
    """A model with so much storage, and what it costs."""

    gigabytes: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    monthly_cents: Annotated[Cents, Field(description="US cents a month, in 36 instalments of the price now.")]
    retail_cents: Cents
    discounted_cents: Annotated[Cents | None, Field(description="US cents while it is reduced, or null.")] = None

    @property
    def now_cents(self) -> int:
        """What it costs today, paid at once."""
        return self.retail_cents if self.discounted_cents is None else self.discounted_cents


class Model(Part):
    """A size or make of a device."""

    name: Name
    screen: Annotated[Name, Field(description="Size and kind of its screen.")]
    storage: Annotated[tuple[Storage, ...], Field(min_length=1, max_length=20)]


class Rating(Part):
    """What buyers think of a device."""

    average: Annotated[float, Field(strict=True, ge=1, le=5, description="Stars, from 1 to 5.")]
    count: Annotated[int, Field(strict=True, ge=0, description="How many rated it.")]


class Device(Row):
    """A phone, tablet or watch."""

    product_type: DeviceType
    brand: Name
    name: Name
    summary: Text
    released: Annotated[str, Field(pattern=r"^\d{4}-\d\d$", description="Year and month.")]
    models: Annotated[tuple[Model, ...], Field(min_length=1, max_length=20)]
    colours: Annotated[tuple[Colour, ...], Field(min_length=1, max_length=20)]
    rating: Rating
    features: Annotated[Names, Field(min_length=1)]

    @property
    def title(self) -> str:
        """Brand and name."""
        return f"{self.brand} {self.name}"

    def words(self) -> Iterator[str]:
        """Give type, summary, models, colours and features."""
        yield from (self.product_type, self.summary, *(model.name for model in self.models))
        yield from (*(colour.name for colour in self.colours), *self.features)

    def offers(self) -> Iterator[tuple[Model, Storage]]:
        """Give every model with each of its storage sizes."""
        return ((model, storage) for model in self.models for storage in model.storage)


class Service(Row):
    """A service that goes with plans and devices."""

    category: ServiceCategory
    name: Name
    summary: Text
    price_cents: Annotated[Cents | None, Field(description="US cents, or null when it costs nothing more.")] = None
    price_note: Text
    features: Annotated[Names, Field(min_length=1)]
    how_to_get: Text

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    def words(self) -> Iterator[str]:
        """Give category, summary, price note, features and how to get it."""
        yield from (f"{self.category} service", self.summary, self.price_note, *self.features, self.how_to_get)


class Offer(Row):
    """A way to stay online when the home internet fails."""

    name: Name
    summary: Text
    price_cents: Cents
    price_note: Text
    internet_plans: Annotated[Names, Field(description="Ids of the internet plans that it can stand in for.")]
    wireless_plans: Annotated[Names, Field(description="Ids of the wireless plans of which the account must have one.")]
    backup_data: Annotated[Name, Field(description="How much data it carries, and how fast.")]
    equipment: Text
    how_it_works: Annotated[Names, Field(min_length=1)]
    terms: Text

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    def words(self) -> Iterator[str]:
        """Give everything that describes it."""
        yield from ("internet backup outage", self.summary, self.price_note, self.backup_data, self.equipment)
        yield from (*self.how_it_works, self.terms)


class Article(Row):
    """A help article."""

    name: Annotated[Name, Field(alias="title", description="What it is about, as a person would ask it.")]
    topic: Name
    text: Annotated[str, Field(min_length=1, max_length=20_000, description="Plain text; a blank line between parts.")]

    @property
    def title(self) -> str:
        """Its headline."""
        return self.name

    def words(self) -> Iterator[str]:
        """Give topic and text."""
        yield from (self.topic, self.text)
