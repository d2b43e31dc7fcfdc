"""What things may look like: one family for training, another, disjoint, held out.

A seed only reshuffles; a family that training never saw is what a score is worth. Colours are
written as RRGGBB, as any palette tool shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from connectors.demo.geometry import Colour


@dataclass(frozen=True, slots=True)
class Looks:
    """Everything a scene may pick from. Colours are RRGGBB, the rest are kind names."""

    tops: tuple[str, ...]
    bottoms: tuple[str, ...]
    skins: tuple[str, ...]
    hairs: tuple[str, ...]
    hats: tuple[str, ...]
    shoes: tuple[str, ...]
    bags: tuple[str, ...]
    vests: tuple[str, ...]
    liveries: tuple[str, ...]
    boxes: tuple[str, ...]
    grounds: tuple[str, ...]
    walls: tuple[str, ...]
    wall_paints: tuple[str, ...]
    doors: tuple[str, ...]
    markings: tuple[str, ...]


TRAIN = Looks(
    tops=(
        *("D1495B", "EDAE49", "00798C", "30638E", "F4F1DE", "3D405B", "81B29A", "F2CC8F"),
        *("7F5539", "9D4EDD", "48CAE4", "2B2D42", "EF476F", "8D99AE", "588157", "FFFFFF"),
    ),
    bottoms=("22304A", "3A3A3C", "5C677D", "7F6A55", "1B1B1E", "A89F91", "4A5A3A", "6D597A"),
    skins=("FFDBC4", "E8B38D", "C68642", "8D5524", "5A3825"),
    hairs=("2B1B12", "5B3A21", "A5682A", "D9B26F", "111111", "8C8C8C"),
    hats=("F5C518", "FFFFFF", "C1121F", "2B4C7E"),
    shoes=("1F1F1F", "5B3A21", "E6E6E6", "36454F"),
    bags=("7B2D26", "2F3E46", "C9A227", "6C757D"),
    vests=("F6E500", "FF6B00"),
    liveries=("F2A900", "E86A10", "2F6DB5", "7A7F85", "C9CDD2"),
    boxes=("carton", "crate", "tote"),
    grounds=("asphalt", "slabs", "gravel"),
    walls=("brick", "corrugated", "plaster", "fence"),
    wall_paints=("A65E44", "8FA3AD", "D9CDB4", "6F7F86", "B9B2A3", "54706A"),
    doors=("5C6B73", "2E4A62", "8C2F2F", "B0B7BC"),
    markings=("F2C200", "F4F4F4"),
)

HELD_OUT = Looks(
    tops=(
        *("E07A5F", "2A9D8F", "F6BD60", "5A7D9A", "F7EDE2", "B56576", "355070", "84A59D"),
        *("C8553D", "6A4C93", "A3C4BC", "40424E"),
    ),
    bottoms=("2C3E50", "4B4A54", "8A7968", "333D29", "60728C", "A68A64"),
    skins=("F6CDB0", "D79B70", "A96B3C", "6B4226"),
    hairs=("3B2417", "7A4A22", "C8924A", "1A1A22", "B8B4AE"),
    hats=("FF8C42", "3FA7D6", "E4E4DC"),
    shoes=("2B2B33", "704B2C", "D8D4CC"),
    bags=("9C4A1A", "405D5A", "B5838D"),
    vests=("D9F01C", "FF8A1F"),
    liveries=("D7263D", "1B998B"),
    boxes=("kraft", "slatted"),
    grounds=("pavers", "screed"),
    walls=("timber", "panels"),
    wall_paints=("9C7A54", "5F7F7A", "C4B59A", "7B8A97"),
    doors=("3D6B66", "D08C3C", "59616B"),
    markings=("FFD23F", "EFEFEF"),
)


def colour(code: str) -> Colour:
    """RRGGBB as (blue, green, red)."""
    red, green, blue = (float(int(code[i : i + 2], 16)) for i in (0, 2, 4))
    return blue, green, red


def shared(one: Looks, other: Looks) -> dict[str, set[str]]:
    """What two families have in common, by field; empty where they are disjoint."""
    both = {f.name: set(getattr(one, f.name)) & set(getattr(other, f.name)) for f in fields(Looks)}
    return {name: values for name, values in both.items() if values}
