"""Procedures drawn by the tests: a repair, a meeting with branches, a complaint, a line, random graphs."""

from __future__ import annotations

import random
from xml.etree import ElementTree as ET

from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Branch, Step, Transition
from svcflow.text import Text

T = Text


def parsed(svg: str) -> ET.Element:
    """The root of an SVG of ours; raises when it is not well-formed."""
    return ET.fromstring(svg.encode())  # noqa: S314  # our own output, made by the test itself


def role(key: str, zh: str, en: str) -> Role:
    return Role(key, name=T(zh=zh, en=en))


def to(
    trigger: str,
    step: str,
    zh: str = "",
    en: str = "",
    *,
    kind: str = "normal",
    when: str | None = None,
    at_most: int | None = None,
) -> Transition:
    return Transition(trigger, step, name=T(zh=zh, en=en), kind=kind, when=when, at_most=at_most)


def step(
    key: str,
    zh: str,
    en: str,
    *moves: Transition,
    role: str | None = None,
    within: str | None = None,
    end: str | None = None,
    **more: object,
) -> Step:
    return Step(key, name=T(zh=zh, en=en), role=role, within=within, to=moves, end=end, **more)


def repair() -> Procedure:
    return Procedure(
        id="repair",
        name=T(zh="报修服务", en="Repair request"),
        area="property",
        owner=T(zh="物业服务科", en="Property services"),
        calendar="always",
        fields=[
            Field("priority", type="choice", choices=("emergency", "normal"), default="normal"),
            Field("fee", type="number"),
        ],
        roles=[
            role("requester", "服务对象", "Requester"),
            role("desk", "服务台", "Service desk"),
            role("dispatcher", "调度员", "Dispatcher"),
            role("technician", "维修技工", "Technician"),
            role("warehouse", "仓库管理员", "Warehouse"),
        ],
        steps=[
            step(
                "reported",
                "报修受理登记",
                "Intake and register",
                to("accept", "accepted", "受理", "accepted"),
                to("reject", "rejected", "不予受理", "rejected", kind="exception"),
                role="desk",
                within="15m",
            ),
            step(
                "accepted",
                "派工",
                "Dispatch order",
                to("assign", "assigned", "已派工", "assigned"),
                role="dispatcher",
                within="30m",
                on_overdue="assign",
            ),
            step(
                "assigned",
                "技师接单",
                "Accept order",
                to("take", "arrived", "接单", "taken"),
                to("decline", "accepted", "拒单", "declined", kind="rework"),
                role="technician",
                within="15m",
            ),
            step(
                "arrived",
                "上门到场",
                "Arrive on site",
                to("arrive", "diagnosing", "到场", "arrived"),
                to("reassign", "accepted", "超时改派", "overdue, reassign", kind="exception"),
                role="technician",
                within="4h",
            ),
            step(
                "diagnosing",
                "现场检测与故障诊断（含拍照）",
                "Diagnose fault (with photos)",
                to("start", "repairing", "保修内", "in warranty"),
                to("quote", "quoting", "需收费", "chargeable", when="fee > 200"),
                to("need_parts", "waiting_parts", "缺件", "parts needed", kind="exception"),
                role="technician",
                within=TimeLimit(match=[Row("45m", 'priority == "emergency"'), Row("2h")]),
            ),
            step(
                "quoting",
                "确认报价",
                "Approve quotation",
                to("approve", "repairing", "同意", "approved"),
                to("refuse", "withdrawn", "拒绝", "rejected", kind="exception"),
                role="requester",
                within="24h",
            ),
            step(
                "waiting_parts",
                "备件申领出库",
                "Issue spare parts",
                to("parts_arrived", "repairing", "出库", "issued"),
                to("out_of_stock", "diagnosing", "缺货改方案", "out of stock", kind="rework"),
                role="warehouse",
                waits="third_party",
                at_most="5wd",
            ),
            step(
                "repairing",
                "维修作业",
                "Carry out repair",
                to("finish", "checking", "修复", "repaired"),
                to("rediagnose", "diagnosing", "未修复", "not fixed", kind="rework"),
                role="technician",
                within="2h",
            ),
            step(
                "checking",
                "客户验收签字",
                "Customer sign-off",
                to("confirm", "calling", "签字", "signed"),
                to("return", "repairing", "返工", "rework", kind="rework", at_most=1),
                role="requester",
                within="2wd",
                on_overdue="confirm",
            ),
            step(
                "calling",
                "回访",
                "Call back",
                to("close", "confirmed", "满意", "satisfied"),
                role="desk",
                within="24h",
            ),
            step("confirmed", "已确认", "Confirmed", end="completed"),
            step("rejected", "不予受理", "Rejected", end="rejected"),
            step("withdrawn", "已撤销", "Withdrawn", end="withdrawn"),
        ],
        limits=[
            TimeLimit(
                id="arrive",
                name=T(zh="到场", en="Arrive on site"),
                from_="accepted",
                to="diagnosing",
                match=[Row("30m", 'priority == "emergency"'), Row("4h")],
            ),
            TimeLimit(
                id="fixed", name=T(zh="修复", en="Fixed"), from_="reported", to="confirmed", within="24h"
            ),
        ],
    )


def meeting() -> Procedure:
    def branch(key: str, zh: str, en: str, role: str, *steps: tuple[str, str, str]) -> Branch:
        made = [
            step(
                f"{key}_{name}",
                z,
                e,
                to("finish", f"{key}_{steps[i + 1][0]}" if i + 1 < len(steps) else f"{key}_ready"),
                role=role,
                within="30m",
            )
            for i, (name, z, e) in enumerate(steps)
        ]
        return Branch(key, [*made, Step(f"{key}_ready", end="done")], name=T(zh=zh, en=en))

    return Procedure(
        id="meeting",
        name=T(zh="会议服务", en="Meeting service"),
        area="catering",
        owner=T(zh="会务科", en="Conference services"),
        roles=[
            role("organiser", "主办人", "Organiser"),
            role("steward", "会务员", "Steward"),
            role("av", "音响师", "AV technician"),
            role("kitchen", "茶水间", "Pantry"),
        ],
        steps=[
            step(
                "booked",
                "预订会议室",
                "Book a room",
                to("confirm", "preparing", "确认", "confirmed"),
                to("cancel", "cancelled", "取消", "cancelled", kind="exception"),
                role="organiser",
                within="4wh",
            ),
            step(
                "preparing",
                "会前准备",
                "Prepare",
                to("done", "ready"),
                to("cancel", "cancelled", "取消", "cancelled", kind="exception"),
                role="steward",
                within="2h",
                parallel=[
                    branch(
                        "room",
                        "会场",
                        "room",
                        "steward",
                        ("set_up", "布置会场", "Set up the room"),
                        ("air", "通风消毒", "Ventilate, disinfect"),
                    ),
                    branch(
                        "equipment", "设备", "equipment", "av", ("test", "调试设备", "Test the equipment")
                    ),
                    branch(
                        "catering",
                        "茶歇",
                        "catering",
                        "kitchen",
                        ("order", "备料", "Order supplies"),
                        ("tea", "备茶", "Prepare tea"),
                    ),
                ],
            ),
            step(
                "ready",
                "会前检查",
                "Final check",
                to("open", "in_session", "开会", "opened"),
                to("fault", "preparing", "设备故障", "equipment fails", kind="rework"),
                role="steward",
                within="30m",
            ),
            step(
                "in_session",
                "会中服务",
                "In session",
                to("close", "clearing", "散会", "closed"),
                to("serve", "in_session", "续茶", "tea again"),
                role="steward",
            ),
            step(
                "clearing",
                "清场",
                "Clear up",
                to("clear", "rated", "清场完毕", "cleared"),
                role="steward",
                within="30m",
            ),
            step(
                "rated",
                "服务评价",
                "Rate",
                to("rate", "done", "评价", "rated"),
                role="organiser",
                within="3wd",
            ),
            step("done", "已完成", "Completed", end="completed"),
            step("cancelled", "已取消", "Cancelled", end="cancelled"),
        ],
    )


def complaint() -> Procedure:
    return Procedure(
        id="complaint",
        name=T(zh="投诉差评处理", en="Complaints"),
        roles=[
            role("desk", "服务台", "Service desk"),
            role("owner", "责任单位", "Owner unit"),
            role("verifier", "独立核查人", "Independent verifier"),
        ],
        steps=[
            step(
                "received",
                "收到",
                "Received",
                to("acknowledge", "acknowledged", "回应", "acknowledged"),
                to("dismiss", "dismissed", "不属实", "unfounded", kind="exception"),
                role="desk",
                within="1wd",
            ),
            step(
                "acknowledged",
                "联系客户",
                "Contact",
                to("assess", "assessed", "评估", "assessed"),
                role="desk",
                within="24h",
            ),
            step(
                "assessed",
                "评估",
                "Assess",
                to("correct", "corrected", "整改", "correct"),
                to("wait", "waiting", "待补材料", "papers missing", kind="exception"),
                role="owner",
                within="48h",
            ),
            step(
                "waiting",
                "待补充材料",
                "Waiting for papers",
                to("got", "assessed", "已补", "received"),
                waits="recipient",
                at_most="5wd",
            ),
            step(
                "corrected",
                "纠正",
                "Correct",
                to("find", "cause", "查因", "find cause"),
                role="owner",
                within="5wd",
            ),
            step(
                "cause",
                "查明原因",
                "Find the cause",
                to("act", "action", "措施", "act"),
                role="owner",
                within="5wd",
            ),
            step(
                "action",
                "纠正措施",
                "Corrective action",
                to("verify", "verified", "核查", "verify"),
                role="owner",
                within="15wd",
            ),
            step(
                "verified",
                "核查",
                "Verify",
                to("pass", "fed_back", "通过", "passed"),
                to("fail", "corrected", "不通过", "failed", kind="rework"),
                role="verifier",
                within="2wd",
            ),
            step(
                "fed_back",
                "反馈",
                "Feed back",
                to("accept", "closed", "认可", "accepted"),
                to("reopen", "reopened", "不认可", "not accepted", kind="exception"),
                role="desk",
                within="1wd",
            ),
            step(
                "reopened",
                "重新受理",
                "Reopened",
                to("again", "assessed", "重新评估", "assess again", kind="rework"),
                role="desk",
                within="1wd",
            ),
            step("closed", "办结", "Closed", end="completed"),
            step("dismissed", "不予受理", "Dismissed", end="rejected"),
        ],
    )


def line() -> Procedure:
    keys = ["a", "b", "c", "d"]
    names = [("申请", "Apply"), ("审核", "Review"), ("审批", "Approve"), ("办理", "Handle")]
    steps = [
        step(key, zh, en, to("next", [*keys, "e"][i + 1], "下一步", "next"), role="clerk", within="1wd")
        for i, (key, (zh, en)) in enumerate(zip(keys, names, strict=True))
    ]
    return Procedure(
        id="line",
        name=T(zh="直线流程", en="Straight procedure"),
        roles=[role("clerk", "经办人", "Clerk")],
        steps=[*steps, step("e", "办结", "Done", end="completed")],
    )


def stress(steps: int = 40, edges: int = 80, seed: int = 7, roles: int = 6) -> Procedure:
    pick = random.Random(seed)
    keys = [f"s{i}" for i in range(steps)]
    moves: dict[str, list[Transition]] = {key: [] for key in keys}
    for i in range(steps - 1):
        moves[keys[i]].append(to(f"t{i}", keys[i + 1], "下一步", f"go on {i}"))
    moves[keys[-1]].append(to("finish", "end", "完成", "finish"))
    for n in range(edges - steps):
        i = pick.randrange(steps)
        j = pick.randrange(max(0, i - 6), min(steps, i + 7))
        kind = pick.choice(["normal", "exception", "rework"])
        moves[keys[i]].append(to(f"x{n}", keys[j], "转出", f"detour {n}", kind=kind))
    lanes = [role(f"r{i}", f"岗位{i}", f"Role {i}") for i in range(roles)]
    made = [
        step(key, f"环节{i}", f"Step number {i}", *moves[key], role=f"r{pick.randrange(roles)}", within="2h")
        for i, key in enumerate(keys)
    ]
    return Procedure(
        id="stress",
        name=T(zh="压力图", en="Stress"),
        roles=lanes,
        steps=[*made, step("end", "完成", "End", end="completed")],
    )


ALL = {"repair": repair, "meeting": meeting, "complaint": complaint, "line": line, "stress": stress}
