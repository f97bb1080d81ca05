"""The week of the demonstration, instance by instance. People and events are made up."""

from __future__ import annotations

from svcflow.cli.demo.script import DemoCommand, InstanceScript
from svcflow.text import Text

__all__ = ["week"]

_DESK, _TECH_1, _TECH_2 = "desk-1:dispatcher", "tech-1:technician", "tech-2:technician"
_COORD, _STEWARD, _AV, _TEA = (
    "coord-1:coordinator",
    "steward-1:steward",
    "av-1:av_technician",
    "tea-1:caterer",
)
_LINE, _UNIT = "desk-2:desk", "plant-1:owner_unit"
_OFFICE, _CHIEF, _PAY = "admin-1:administration", "head-1:supervisor", "pay-1:payment"


def week() -> tuple[DemoCommand, ...]:
    """Return every command of the week in order of time."""
    scripts = (
        _tap(),
        _lift(),
        _heating(),
        _window(),
        _socket(),
        _budget(),
        _review(),
        _noise(),
        _canteen(),
        _rail(),
        _hotel(),
    )
    commands = [command for script in scripts for command in script.commands]
    return tuple(sorted(commands, key=lambda command: command.at))


def _tap() -> InstanceScript:
    """Return an emergency that goes as it should."""
    place = Text(zh="3号楼1204室", en="building 3, room 1204")
    return (
        InstanceScript("repair-tap")
        .start(
            "Mon 09:05", "repair", _DESK, "room-1204:staff", place=place, priority="emergency", fault="water"
        )
        .fire("Mon 09:12", "accept", _DESK)
        .fire("Mon 09:16", "dispatch", _DESK, evidence="order=W-101")
        .fire("Mon 09:34", "arrive", _TECH_1)
        .fire("Mon 09:38", "start", _TECH_1)
        .fire("Mon 10:50", "finish", _TECH_1, evidence="photo=P-101")
        .fire("Mon 11:20", "confirm", "room-1204:requester", evidence="signature=S-101")
        .fire("Mon 14:00", "rate", "room-1204:requester", rating="very_satisfied")
    )


def _lift() -> InstanceScript:
    """Return a technician who comes late, and work that is sent back once."""
    place, reason = (
        Text(zh="1号楼电梯", en="building 1, lift"),
        Text(zh="门仍然卡住", en="the door still sticks"),
    )
    return (
        InstanceScript("repair-lift")
        .start(
            "Mon 10:00", "repair", _DESK, "hall-1:retirees", place=place, priority="emergency", fault="outage"
        )
        .fire("Mon 10:06", "accept", _DESK)
        .fire("Mon 10:10", "dispatch", _DESK, evidence="order=W-102")
        .fire("Mon 10:44", "arrive", _TECH_2)
        .fire("Mon 10:47", "start", _TECH_2)
        .fire("Mon 13:40", "finish", _TECH_2, evidence="photo=P-102")
        .fire("Mon 14:10", "return", "hall-1:requester", reason=reason)
        .fire("Mon 16:05", "finish", _TECH_2, evidence="photo=P-103")
        .fire("Tue 09:00", "confirm", "hall-1:requester", evidence="signature=S-102")
    )


def _heating() -> InstanceScript:
    """Return clocks held while a supplier is waited for."""
    return (
        InstanceScript("repair-heating")
        .start(
            "Tue 09:30", "repair", _DESK, "room-210:leaders", place=Text(zh="办公楼210室", en="office 210")
        )
        .fire("Tue 09:50", "accept", _DESK)
        .fire("Tue 10:05", "dispatch", _DESK, evidence="order=W-103")
        .fire("Tue 11:00", "arrive", _TECH_1)
        .fire("Tue 11:10", "start", _TECH_1)
        .hold("Tue 11:40", "third_party", _DESK, evidence="notice=N-7")
        .resume("Thu 10:00", _DESK)
        .fire("Thu 11:30", "finish", _TECH_1, evidence="photo=P-104")
        .fire("Thu 14:00", "confirm", "room-210:requester", evidence="signature=S-103")
        .fire("Fri 09:00", "rate", "room-210:requester", rating="satisfied")
    )


def _window() -> InstanceScript:
    """Return a step that is skipped, with a reason."""
    reason = Text(zh="技工当时就在隔壁，未经派工先到场", en="the technician was next door and went at once")
    return (
        InstanceScript("repair-window")
        .start(
            "Wed 13:40", "repair", _DESK, "hall-2:staff", place=Text(zh="2号楼大厅", en="building 2, hall")
        )
        .fire("Wed 13:55", "accept", _DESK)
        .fire("Wed 14:10", "arrive", _TECH_2, evidence="order=W-104", override=reason)
        .fire("Wed 14:12", "start", _TECH_2)
        .fire("Wed 15:00", "finish", _TECH_2, evidence="photo=P-105")
    )


def _socket() -> InstanceScript:
    """Return a request of the last hour."""
    place = Text(zh="3号楼走廊", en="building 3, corridor")
    return InstanceScript("repair-socket").start(
        "Fri 15:50", "repair", _DESK, "room-1210:staff", place=place, fault="circuit"
    )


def _budget() -> InstanceScript:
    """Return room, equipment and tea prepared side by side; tea is served every 20 minutes."""
    return (
        InstanceScript("meeting-budget")
        .start(
            "Tue 14:00",
            "meeting",
            _COORD,
            "office-2:leaders",
            meeting_start="2026-03-04T14:00:00+08:00",
            room="A-301",
            attendees=24,
        )
        .fire("Tue 14:40", "confirm", _COORD)
        .fire("Wed 12:30", "prepare", _COORD)
        .fire("Wed 12:50", "aired", _STEWARD)
        .fire("Wed 12:55", "finish_equipment", _AV, evidence="checklist=C-1")
        .fire("Wed 13:05", "finish_tea", _TEA)
        .fire("Wed 13:20", "finish_room", _STEWARD, evidence="checklist=C-2 photo=P-201")
        .fire("Wed 13:45", "greet", _STEWARD)
        .fire("Wed 14:00", "begin", _STEWARD)
        .fire("Wed 14:18", "serve_tea", _STEWARD)
        .fire("Wed 14:37", "serve_tea", _STEWARD)
        .fire("Wed 14:55", "serve_tea", _STEWARD)
        .fire("Wed 15:14", "serve_tea", _STEWARD)
        .fire("Wed 15:33", "serve_tea", _STEWARD)
        .fire("Wed 15:50", "close", _STEWARD)
        .fire("Wed 16:10", "finish_clearing", _STEWARD, evidence="checklist=C-3")
        .fire("Thu 09:10", "rate", "office-2:organiser", rating="very_satisfied")
    )


def _review() -> InstanceScript:
    """Return a meeting half prepared when the week ends."""
    return (
        InstanceScript("meeting-review")
        .start(
            "Thu 10:00",
            "meeting",
            _COORD,
            "office-5:staff",
            meeting_start="2026-03-06T17:00:00+08:00",
            room="B-112",
            attendees=9,
        )
        .fire("Thu 10:30", "confirm", _COORD)
        .fire("Fri 15:40", "prepare", _COORD)
        .fire("Fri 16:00", "aired", _STEWARD)
        .fire("Fri 16:05", "finish_equipment", _AV, evidence="checklist=C-4")
        .fire("Fri 16:10", "finish_tea", _TEA)
    )


def _noise() -> InstanceScript:
    """Return a unit that tries to verify its own corrective action, and is refused."""
    about = Text(zh="机房夜间噪声", en="noise from the plant room at night")
    cause = Text(zh="水泵减振垫老化", en="worn pads under a pump")
    action = Text(zh="更换减振垫并列入年检", en="pads replaced and put on the yearly check")
    reply = Text(zh="已电话回复", en="answered by telephone")
    both = f"{_UNIT},verifier"
    return (
        InstanceScript("complaint-noise")
        .start("Mon 11:00", "complaint", _LINE, "room-815:staff", about=about)
        .fire("Mon 15:30", "acknowledge", _LINE)
        .fire("Tue 10:00", "assess", _LINE)
        .fire("Tue 16:00", "correct", _UNIT, evidence="correction_record=R-1")
        .fire("Wed 11:00", "find_cause", _UNIT, cause=cause)
        .fire("Thu 10:00", "act", _UNIT, evidence="proof=R-2", action=action)
        .fire("Thu 10:05", "verify", both, refused=True)
        .fire("Thu 14:00", "verify", "quality-1:verifier")
        .fire("Fri 10:00", "feed_back", _LINE, reply=reply)
    )


def _canteen() -> InstanceScript:
    """Return a complaint that waits for its complainant; its limits stand still."""
    about = Text(zh="午餐排队过久", en="long queue at lunch")
    return (
        InstanceScript("complaint-canteen")
        .start("Thu 09:00", "complaint", _LINE, "room-402:staff", about=about)
        .fire("Thu 09:40", "acknowledge", _LINE)
        .fire("Thu 10:00", "ask", _LINE)
    )


def _rail() -> InstanceScript:
    """Return a claim paid within the week; its office keeps Dutch hours."""
    return (
        InstanceScript("expense-rail")
        .start("Mon 16:10", "expense_declaration", "staff-31:employee", "staff-31:staff", amount=186.4)
        .fire("Tue 17:00", "approve_administration", _OFFICE)
        .fire("Wed 17:30", "approve_finally", _CHIEF)
        .fire("Thu 17:00", "request_payment", _PAY)
        .fire("Fri 16:00", "handle_payment", _PAY)
    )


def _hotel() -> InstanceScript:
    """Return a claim sent back to the employee."""
    reason = Text(zh="缺少住宿发票", en="the hotel's invoice is missing")
    return (
        InstanceScript("expense-hotel")
        .start("Wed 17:05", "expense_declaration", "staff-08:employee", "staff-08:staff", amount=412)
        .fire("Thu 16:30", "reject_administration", _OFFICE, reason=reason)
        .fire("Fri 16:10", "take_back", "staff-08:employee")
    )
