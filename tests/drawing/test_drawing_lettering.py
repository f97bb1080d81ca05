"""Measuring and breaking text, and the small geometry beneath a map."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from svcflow.drawing.layout.axis import PAD, PITCH, Axis, ChannelRoom
from svcflow.drawing.layout.geometry import Rect, crossings, meets, shared_length, simplified
from svcflow.drawing.layout.text_metrics import BOLD, broken, ems, fit, width


def test_a_chinese_character_is_one_em_wide() -> None:
    """East Asian wide characters are 1 em, Latin ones less, bold 6 % more."""
    assert ems("限时") == 2.0
    assert ems("A") < 1
    assert ems("e\u0301") == ems("e")
    assert width("限", 10, bold=True) == 10 * BOLD


def test_text_breaks_at_spaces_and_between_characters() -> None:
    """Latin words stay whole, Chinese breaks anywhere but before closing punctuation."""
    assert broken("Arrive on site", 6) == ("Arrive on", "site")
    assert broken("现场检测", 2) == ("现场", "检测")
    assert broken("甲乙，丙", 2.5) == ("甲", "乙，", "丙") or broken("甲乙，丙", 2.5)[1].startswith("乙")
    assert all(not line.startswith("，") for line in broken("甲乙，丙丁，戊", 3))


def test_what_does_not_fit_shrinks_then_is_cut() -> None:
    """Text too long shrinks to three quarters at most, then ends in an ellipsis and says so."""
    short = fit("派工", 100, 12)
    assert (short.lines, short.size, short.cut) == (("派工",), 12, False)
    smaller = fit("现" * 18, 100, 12)
    assert smaller.size < 12
    assert not smaller.cut
    long = fit("现" * 80, 100, 12)
    assert long.cut
    assert long.lines[-1].endswith("…")


@given(st.text(max_size=120), st.floats(30, 200), st.integers(1, 3))
def test_fitted_text_is_never_wider_than_its_room(text: str, room: float, most: int) -> None:
    """No line is wider than its room, and there are never more lines than allowed."""
    block = fit(text, room, 12, bold=True, most=most)
    assert len(block.lines) <= most
    assert all(width(line, block.size, bold=True) <= room + 0.01 for line in block.lines)


def test_segments_and_boxes_meet_only_inside() -> None:
    """Touching a side is no crossing; passing through the inside is."""
    box = Rect(10, 10, 20, 20)
    assert meets((0, 20), (40, 20), box)
    assert not meets((0, 10), (40, 10), box)
    assert not meets((0, 20), (10, 20), box)
    assert meets((20, 0), (20, 15), box)


def test_crossings_and_shared_stretches_are_measured() -> None:
    """Perpendicular lines cross once; lines nearer than the tolerance share their common stretch."""
    assert crossings([(0, 5), (10, 5)], [(5, 0), (5, 10)]) == 1
    assert crossings([(0, 5), (10, 5)], [(0, 6), (10, 6)]) == 0
    assert shared_length([(0, 5), (10, 5)], [(4, 6), (20, 6)]) == 6
    assert shared_length([(0, 5), (10, 5)], [(4, 9), (20, 9)]) == 0


def test_a_polyline_keeps_only_its_corners() -> None:
    """Repeated points and points on the way are dropped."""
    assert simplified([(0, 0), (0, 0), (5, 0), (9, 0), (9, 4)]) == ((0, 0), (9, 0), (9, 4))


def test_a_channel_is_as_wide_as_its_lines_and_labels_need() -> None:
    """Tracks stand a pitch apart, off the boxes, and the room for labels lies before them."""
    axis = Axis(origin=0, cells=[100], tracks=[2, 0], rooms={0: ChannelRoom(lead=30)}, least=[0, 50])
    assert axis.track(0, 0) == PAD + 30
    assert axis.track(0, 1) == PAD + 30 + PITCH
    assert axis.middle(0) == 2 * PAD + 30 + PITCH + 50
    assert axis.end == 2 * PAD + 30 + PITCH + 100 + 50
