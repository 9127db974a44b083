from __future__ import annotations

import pytest

from flownb.graph.drawing.icons import ICONS, icon, icon_of
from flownb.graph.drawing.theme import FAMILIES, theme
from flownb.model.status import Category, NodeStatus, RunStatus


def test_every_status_has_an_icon_of_its_own_shape() -> None:
    looks = [*NodeStatus, RunStatus.PAUSED, "cached", "pinned", "stale", "retrying", "transient"]
    assert len({ICONS[str(look)] for look in looks}) == len(looks)


@pytest.mark.parametrize("name", sorted(ICONS))
def test_every_icon_stays_in_its_box(name: str) -> None:
    for shape in icon(name, (0, 0), 16, "#000000", "#ffffff"):
        numbers = [float(number) for _, *numbers in shape.commands for number in numbers]  # type: ignore[union-attr]
        assert -0.5 <= min(numbers) <= max(numbers) <= 16.5


@pytest.mark.parametrize("dark", [False, True])
def test_every_status_and_family_has_a_colour(dark: bool) -> None:
    colours = theme(dark=dark)
    assert set(colours.families) == set(FAMILIES)
    for status in (*NodeStatus, RunStatus.PAUSED):
        assert colours.status[status].startswith("#")
        assert colours.fills[status].startswith("#")


@pytest.mark.parametrize(
    ("node_type", "category", "expected"),
    [
        ("python", None, ("code", "code")),
        ("human.input", None, ("person", "people")),
        ("control.condition", None, ("branch", "control")),
        ("sql.query", Category.ACTION, ("db", "data")),
        ("acme.send", Category.TRIGGER, ("play", "world")),
        ("acme.send", None, ("shapes", "control")),
        ("", None, ("shapes", "control")),
    ],
)
def test_a_node_takes_the_icon_of_its_type_of_its_prefix_or_of_its_category(
    node_type: str, category: Category | None, expected: tuple[str, str]
) -> None:
    assert icon_of(node_type, category) == expected


def _luminance(colour: str) -> float:
    def part(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (part(int(colour[place : place + 2], 16)) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_a_contrast_of_at_least_four_and_a_half(dark: bool) -> None:
    colours = theme(dark=dark)
    for ink in {*colours.status.values(), colours.ink, colours.ink_2}:
        for ground in (colours.surface, colours.ground, colours.raised):
            light, deep = sorted((_luminance(ink), _luminance(ground)), reverse=True)
            assert (light + 0.05) / (deep + 0.05) >= 4.5, (ink, ground)
