"""What a gateway's install may hold: each way to go wrong is counted, and has a limit that breaks."""

from dataclasses import replace
from email.message import Message

import pytest

from kanhu.harness.licences import LicenceVerdict, judge_licence, stated_licence
from kanhu.harness.report import Report, read_limits, settings
from kanhu.harness.wheels import PARTS, Installed, Trial, figures, wheel_faults

ALLOWED = {"kanhu-gateway": "itself", "msgspec": "the wire"}
FORBIDDEN = {"fastapi": "county API"}

LICENCE = "kanhu_edge-0.1.0.dist-info/licenses/LICENSE"
GATEWAY = Installed("kanhu-gateway", "0.1.0", "Apache-2.0", "file:///wheels/kanhu_gateway-0.1.0-py3-none-any.whl")
MSGSPEC = Installed("msgspec", "0.22.0", "BSD-3-Clause", "https://index.example/msgspec-0.22.0-cp311-x86_64.whl")
GOOD = Trial(
    wheels={
        f"kanhu_{part.replace('-', '_')}-0.1.0-py3-none-any.whl": [f"kanhu/{part.replace('-', '_')}/py.typed", LICENCE]
        for part in PARTS
    },
    installed=[GATEWAY, MSGSPEC],
    import_works=True,
    command_works=True,
)


def broken_limits(trial: Trial) -> set[str]:
    report = Report("wheels", figures(trial, allowed=ALLOWED, forbidden=FORBIDDEN), read_limits("wheels"))
    return {name for name, verdict in report.verdicts().items() if verdict not in {"kept", "reported"}}


def test_good_trial_keeps_every_limit() -> None:
    assert broken_limits(GOOD) == set()


@pytest.mark.parametrize(
    ("planted", "broken"),
    [
        (Installed("left-pad", "1", "MIT", "https://i.example/left_pad-1.whl"), {"unexpected"}),
        (Installed("fastapi", "1", "MIT", "https://i.example/fastapi-1.whl"), {"unexpected", "forbidden"}),
        (Installed("msgspec", "1", "MIT", "https://i.example/msgspec-1.tar.gz"), {"not_as_wheel"}),
        (Installed("msgspec", "1", "GPL-3.0-only", "https://i.example/msgspec-1.whl"), {"licences_refused"}),
        (Installed("msgspec", "1", "", "https://i.example/msgspec-1.whl"), {"licences_refused"}),
        (Installed("kanhu-gateway", "9", "Apache-2.0", "https://i.example/kanhu_gateway-9.whl"), {"foreign_kanhu"}),
    ],
)
def test_each_unwelcome_distribution_breaks_its_limit(planted: Installed, broken: set[str]) -> None:
    assert broken_limits(replace(GOOD, installed=[GATEWAY, planted])) == broken


def test_gateway_that_does_not_answer_breaks_its_limits() -> None:
    assert broken_limits(replace(GOOD, import_works=False, command_works=False)) == {"import_failed", "command_failed"}


def test_missing_wheel_breaks_its_limit() -> None:
    wheels = dict(list(GOOD.wheels.items())[:-1])
    assert broken_limits(replace(GOOD, wheels=wheels)) == {"wheels_built"}


@pytest.mark.parametrize(
    ("contents", "faults"),
    [
        (["kanhu/edge/__init__.py", "kanhu/edge/py.typed", LICENCE], set()),
        (["kanhu/__init__.py", "kanhu/edge/py.typed", LICENCE], {"namespace"}),
        (["kanhu/edge/__init__.py", LICENCE], {"untyped"}),
        (["kanhu/edge/codecs/py.typed", LICENCE], {"untyped"}),
        (["kanhu/edge/__init__.py", "kanhu/edge/py.typed"], {"unlicensed"}),
        ([], {"untyped", "unlicensed"}),
    ],
)
def test_wheel_that_closes_the_namespace_or_hides_types_is_named(contents: list[str], faults: set[str]) -> None:
    assert wheel_faults(contents) == faults


def test_nothing_forbidden_is_on_the_allowed_list() -> None:
    section = settings("wheels")
    assert set(section["allowed"]).isdisjoint(section["forbidden"])
    assert all(reason.strip() for reason in section["allowed"].values())


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("MIT", LicenceVerdict.PERMISSIVE),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", LicenceVerdict.PERMISSIVE),
        ("EPL-2.0 OR BSD-3-Clause", LicenceVerdict.PERMISSIVE),
        ("GPL-2.0-only OR MIT", LicenceVerdict.PERMISSIVE),
        ("BSD License", LicenceVerdict.PERMISSIVE),
        ("BSD-3-Clause AND GPL-3.0-or-later WITH GCC-exception-3.1", LicenceVerdict.PERMISSIVE),
        ("LGPL-2.1-or-later", LicenceVerdict.LESSER_GPL),
        ("GNU Lesser General Public License v3 (LGPLv3)", LicenceVerdict.LESSER_GPL),
        ("GPL-3.0-or-later", LicenceVerdict.GPL),
        ("AGPL-3.0-only", LicenceVerdict.GPL),
        ("GNU General Public License v3 (GPLv3)", LicenceVerdict.GPL),
        ("MIT AND GPL-3.0-only", LicenceVerdict.GPL),
        ("MIT AND LGPL-3.0-only", LicenceVerdict.LESSER_GPL),
        ("(MIT OR GPL-2.0-only) AND GPL-3.0-only", LicenceVerdict.GPL),
        ("", LicenceVerdict.UNKNOWN),
        ("UNKNOWN", LicenceVerdict.UNKNOWN),
        ("Proprietary", LicenceVerdict.UNKNOWN),
        ("MIT AND Proprietary", LicenceVerdict.UNKNOWN),
    ],
)
def test_licence_is_judged_by_what_it_binds_us_to(stated: str, expected: LicenceVerdict) -> None:
    assert judge_licence(stated) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("License-Expression", "MIT"), ("Classifier", "License :: OSI Approved :: BSD License")], "MIT"),
        ([("Classifier", "License :: OSI Approved :: BSD License"), ("License", "whatever")], "BSD License"),
        ([("License", "MIT")], "MIT"),
        ([("License", "MIT License\n\n" + "Permission is hereby granted " * 20)], "MIT License"),
        ([("License", "UNKNOWN")], "UNKNOWN"),
        ([], ""),
    ],
)
def test_licence_is_read_from_the_most_exact_place(headers: list[tuple[str, str]], expected: str) -> None:
    metadata = Message()
    for name, value in headers:
        metadata[name] = value
    assert stated_licence(metadata) == expected
