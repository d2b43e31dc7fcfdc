"""Configurations that are taken, and may yet not do what was meant."""

import pytest

from stream.config import doubts, parse

ENV = {"SECRET": 32 * "A"}
FILM = "{id: dock, url: dock.mp4, mode: archive}"
LOOP = "{id: dock, url: dock.mp4, loop: true}"
GATE = "{id: gate, url: rtsp://10.0.0.9/s}"
TOLD = "{id: seen, kind: presence, camera: dock, notify: [ops]}"
ON_KAFKA = "kafka://127.0.0.1:9092"


def doubted(
    *rules: str, cameras: str = FILM, endpoints: str = "ops", transport: str = "memory://"
) -> list[str]:
    """The doubts, without the file's name."""
    lines = [
        f"transport: {transport}",
        "model: {weights: yolo.pt}",
        f"cameras: [{cameras}]",
        "rules:",
        *[f"  - {rule}" for rule in rules],
        "endpoints:",
        *[
            f"  - {{id: {name}, url: https://{name}.example/hook, secret: {{env: SECRET}}}}"
            for name in endpoints.split()
        ],
    ]
    settings = parse("\n".join(lines), "c.yaml", env=ENV)
    return [line.removeprefix("c.yaml:") for line in doubts(settings)]


def test_alerts_that_an_endpoint_is_told_of_leave_no_doubt() -> None:
    assert doubted(TOLD) == []


def test_a_rule_without_notify_is_told_with_its_line() -> None:
    quiet = "{id: dock-person, kind: presence, camera: dock}"
    assert doubted(TOLD, quiet) == [
        "6: rules[1]: rule dock-person: no notify: its alerts show on the page and in the video "
        "only, no endpoint is told"
    ]
    assert doubted(TOLD, quiet, transport=ON_KAFKA) == [
        "6: rules[1]: rule dock-person: no notify: its alerts are on the topic alerts only, no "
        "endpoint is told"
    ]


def test_an_endpoint_that_no_rule_names_is_told_with_its_line() -> None:
    assert doubted(TOLD, endpoints="ops pager") == [
        "8: endpoints[1]: endpoint pager: no rule names it in notify: it is told nothing"
    ]


def health(more: str = "", conditions: str = "lost, black") -> str:
    return f"{{id: sick, kind: health, conditions: [{conditions}], notify: [ops]{more}}}"


NEVER = "in mode archive, of which no health is told: it never opens an alert"
NO_CLOCK = "played from a file, which has no clock: skewed never holds"


@pytest.mark.parametrize(
    ("rule", "cameras", "told"),
    [
        (health(", camera: dock"), FILM, [f"5: rules[0]: rule sick: camera dock is {NEVER}"]),
        (health(", camera: dock"), f"{FILM}, {GATE}",
         [f"5: rules[0]: rule sick: camera dock is {NEVER}"]),
        (health(), FILM, [f"5: rules[0]: rule sick: all cameras are {NEVER}"]),
        (health(), f"{FILM}, {GATE}", []),
        (health(", camera: gate"), f"{FILM}, {GATE}", []),
        (health(", camera: dock"), LOOP, []),
        (health(", camera: dock", "black, skewed"), LOOP,
         [f"5: rules[0].conditions[1]: rule sick: camera dock is {NO_CLOCK}"]),
        (health(conditions="skewed"), LOOP,
         [f"5: rules[0].conditions[0]: rule sick: all cameras are {NO_CLOCK}"]),
        (health(conditions="skewed"), f"{LOOP}, {GATE}", []),
        (health(conditions="skewed"), FILM, [f"5: rules[0]: rule sick: all cameras are {NEVER}"]),
    ],
)  # fmt: skip
def test_health_that_is_never_told_of_is_doubtful(rule: str, cameras: str, told: list[str]) -> None:
    assert doubted(rule, cameras=cameras) == told


def test_on_kafka_a_rule_on_every_camera_may_meet_others() -> None:
    assert doubted(health(), transport=ON_KAFKA) == []
    assert len(doubted(health(", camera: dock"), transport=ON_KAFKA)) == 1


def test_doubts_are_told_in_the_order_of_the_file() -> None:
    quiet = "{id: quiet, kind: presence, camera: dock}"
    found = doubted(health(), quiet, endpoints="pager ops")
    assert [each.partition(": ")[0] for each in found] == ["5", "6", "8"]
