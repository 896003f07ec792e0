from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_fusion.assembly_alerts import rules
from edge_fusion.config import Settings, model_problems
from edge_fusion.config.alerting import alerts_at
from edge_fusion.events import DEVICE, Severity
from edge_fusion.model.spec import ModelSpec

Read = Callable[..., Settings]
SENSOR = '[[sensors]]\ntopic = "z/{site}/{device}"\n'
SPEC = ModelSpec("m", 10.0, 20, ("temperature",), 2, (8, 8), ("fire", "steam"), {"fire": 0.4})


def alert(**keys: str) -> str:
    return "[[alerts]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def labels(settings: Settings, site: str | None = None) -> list[str]:
    return list(alerts_at(settings.alerts, SPEC.labels, site))


def test_without_tables_all_labels_of_the_model_alert_and_devices(read: Read) -> None:
    assert labels(read(SENSOR), "hall") == ["fire", "steam", DEVICE]


def test_with_tables_only_their_labels_do_and_devices_still(read: Read) -> None:
    assert labels(read(SENSOR + alert(label='"steam"'))) == ["steam", DEVICE]


def test_a_table_for_devices_says_nothing_of_the_model(read: Read) -> None:
    settings = read(SENSOR + alert(label='"device"', severity='"info"'))
    assert labels(settings) == ["fire", "steam", DEVICE]
    assert alerts_at(settings.alerts, SPEC.labels)[DEVICE].severity is Severity.INFO


def test_a_site_changes_key_by_key_what_is_said_for_all(read: Read) -> None:
    settings = read(
        SENSOR
        + alert(label='"fire"', threshold="0.6", keep_firing='"1m"', severity='"critical"')
        + alert(label='"fire"', site='"cellar"', threshold="0.9")
    )
    here, there = rules(settings, SPEC, "cellar")["fire"], rules(settings, SPEC, "hall")["fire"]
    assert (here.threshold, there.threshold) == (0.9, 0.6)
    assert (here.clear, there.clear) == pytest.approx((0.63, 0.42))
    assert here.keep_firing == there.keep_firing == 60.0
    assert here.severity is there.severity is Severity.CRITICAL


def test_a_list_of_sites_stands_for_each_of_them(read: Read) -> None:
    settings = read(SENSOR + alert(label='"fire"', site='["a", "b"]', **{"for": "5"}))
    counts = [rules(settings, SPEC, site)["fire"].for_windows for site in ("a", "b", "c")]
    assert counts == [5, 5, 2]


def test_only_tables_with_sites_leave_all_labels_alerting_elsewhere(read: Read) -> None:
    settings = read(SENSOR + alert(label='"steam"', site='"bath"', enabled="false"))
    assert labels(settings, "hall") == ["fire", "steam", DEVICE]
    assert labels(settings, "bath") == ["fire", DEVICE]


def test_a_label_may_alert_at_one_site_alone(read: Read) -> None:
    settings = read(SENSOR + alert(label='"fire"') + alert(label='"steam"', site='"cellar"'))
    assert labels(settings, "hall") == ["fire", DEVICE]
    assert labels(settings, "cellar") == ["fire", DEVICE, "steam"]


def test_to_take_one_out_leaves_the_others(read: Read) -> None:
    assert labels(read(SENSOR + alert(label='"steam"', enabled="false"))) == ["fire", DEVICE]


def test_devices_can_be_left_alone(read: Read) -> None:
    assert labels(read(SENSOR + alert(label='"device"', enabled="false"))) == ["fire", "steam"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            alert(label='"fire"') * 2,
            'alerts[0].label is "fire", given 2 times: expected once',
        ),
        (
            alert(label='"fire"', site='["a", "b"]') + alert(label='"fire"', site='"b"'),
            'alerts[0].label is "fire", given 2 times for site "b": expected once',
        ),
        (
            alert(label='"fire"', site="[]"),
            'alerts[0].site is a list: expected a site such as "cellar", or a list of sites',
        ),
        (
            alert(label='"fire"', site='"up stairs"'),
            'alerts[0].site[0] is "up stairs": expected 1 to 64 letters, digits, _ - .',
        ),
        (
            alert(label='"fire"', site="7"),
            'alerts[0].site is 7: expected a site such as "cellar", or a list of sites',
        ),
        (
            alert(label='"fire"', stale_after='"5m"'),
            'alerts[0].stale_after given with label "fire": expected with "device"',
        ),
        (
            alert(label='"device"', **{"for": "3"}),
            'alerts[0].for given with label "device": expected with a label of the model',
        ),
        (
            alert(label='"device"', stale_after_of='{ "up stairs" = "1h" }'),
            'alerts[0].stale_after_of has "up stairs": expected the name of a device or camera',
        ),
        (
            alert(label='"device"', stale_after_of='{ door = "soon" }'),
            (
                'alerts[0].stale_after_of.door is "soon": expected a duration up to 3650d, '
                'such as "500ms", "10s", "5m", "2h"'
            ),
        ),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    problems: Callable[..., list[str]], text: str, problem: str
) -> None:
    assert problems(SENSOR + text) == [f"edge.toml: {problem}"]


def test_levels_that_fit_nowhere_together_are_told(read: Read) -> None:
    settings = read(
        SENSOR
        + alert(label='"fire"', threshold="0.8", clear="0.7")
        + alert(label='"fire"', site='"cellar"', threshold="0.6")
    )
    assert model_problems(settings, SPEC, Path("e.toml")) == [
        "e.toml: alerts[1].clear is 0.7: expected at most the threshold, 0.6"
    ]
