"""The register of qualifications: who holds which certificate until when, from a file."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

import svcflow
from svcflow.errors import DeclarationError

REGISTER = """
qualifications: site_2026
name: {zh: 持证名册, en: Register}
zone: Asia/Shanghai
certificates:
  electrician:
    li.wei: 2027-03-31
    wang.fang: unlimited
"""


def told(tmp_path, text: str) -> list[str]:
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        svcflow.load_qualifications(tmp_path / "r.yaml")
    assert all(problem.message.zh for problem in caught.value.problems)
    return [problem.text("en").partition("r.yaml:")[2] for problem in caught.value.problems]


def test_a_certificate_is_held_through_its_last_day(tmp_path):
    """By the zone's clock; without an end, until the calendar ends; None for who never held it."""
    (tmp_path / "r.yaml").write_text(REGISTER, encoding="utf-8")
    register = svcflow.load_qualifications(tmp_path / "r.yaml")
    assert register("li.wei", "electrician") == datetime(2027, 4, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert register("wang.fang", "electrician").year == 9999
    assert register("chen", "electrician") is None
    assert register("li.wei", "welder") is None


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("2027-03-31", "2027年3月31日", "certificates.electrician.li.wei: takes a date such as 2027-03-31, or unlimited, not '2027年3月31日'; write 2027-03-31"),
        ("2027-03-31", "", "certificates.electrician.li.wei: takes a date such as 2027-03-31, or unlimited, not None"),
        ("unlimited", "true", "certificates.electrician.wang.fang: takes a date such as 2027-03-31, or unlimited, not True"),
        ("Asia/Shanghai", "Asia/Peking", "zone: there is no time zone 'Asia/Peking'; write for example Europe/Amsterdam"),
        ("zone:", "zon:", "zon: there is no key 'zon' here; did you mean zone?"),
        ("qualifications: site_2026", "procedure: site_2026", "the first key must say what the document is; one of: qualifications"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(tmp_path, right, wrong, said):
    """With what to write instead."""
    assert any(said in line for line in told(tmp_path, REGISTER.replace(right, wrong, 1)))


def test_a_register_is_no_part_of_a_catalog(tmp_path):
    """Who is qualified changes by itself; a folder holds what is declared."""
    (tmp_path / "r.yaml").write_text(REGISTER, encoding="utf-8")
    with pytest.raises(DeclarationError, match="the first key must say what the document is"):
        svcflow.Catalog.from_folder(tmp_path)
