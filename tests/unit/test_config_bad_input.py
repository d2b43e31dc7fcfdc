"""Configurations that are refused: each with the line, the field, what came, what is allowed."""

import base64
import string
from math import cos, pi, sin
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from stream.config import Settings, load, parse, redact
from stream.config.polygon import polygon_fault
from stream.config.reference import EXAMPLE
from stream.errors import EXIT_CONFIG, ConfigError

FILE = "c.yaml"
KEY = base64.b64encode(bytes(24)).decode()
WEAK = base64.b64encode(bytes(23)).decode()
ENV = {
    "OPS_SECRET": KEY,
    "SHORT": WEAK,
    "PLAIN": "hunter2-hunter2!",
    "BROKEN": f"{KEY}\r\nX-Evil: 1",
}
SMALL = "model: {weights: yolo.pt}\n"
ID = "id must match ^[a-z0-9][a-z0-9-]{0,62}$"
SCHEMES = "scheme not allowed (rtsp, rtsps, file under any folder)"
CREDENTIALS = "credentials inside a URL are refused; name them with credentials: …"
STRONG = (
    "allowed: at least 24 bytes in base64, with or without whsec_ "
    "(openssl rand -base64 32 makes one)"
)


def faults(source: bytes | str, folder: str = "") -> list[str]:
    """The lines of the error that a configuration gives."""
    with pytest.raises(ConfigError) as error:
        parse(source, f"{folder}{FILE}", env=ENV)
    assert error.value.exit_code == EXIT_CONFIG == 78
    return str(error.value).splitlines()


def camera(fields: str) -> list[str]:
    """The faults of one camera, without the place that they share."""
    found = faults(f"{SMALL}cameras:\n  - {{{fields}}}\n")
    start = f"{FILE}:3: cameras[0]."
    assert all(line.startswith(start) for line in found), found
    return [line.removeprefix(start) for line in found]


def with_rule(rule: str, zones: str = "[]", endpoints: str = "[]") -> list[str]:
    return faults(
        "model: {weights: yolo.pt, labels: [person, car]}\n"
        "cameras: [{id: hall, url: a.mp4}, {id: yard, url: b.mp4, labels: [dog]}]\n"
        f"zones: {zones}\n"
        f"endpoints: {endpoints}\n"
        f"rules: [{rule}]\n"
    )


def endpoint(fields: str) -> list[str]:
    text = f"{SMALL}cameras: [{{id: hall, url: a.mp4}}]\nendpoints:\n  - {{id: ops, {fields}}}\n"
    return [line.removeprefix(f"{FILE}:4: endpoints[0].") for line in faults(text)]


# --- keys and values


def test_all_faults_of_a_file_are_told_at_once_unknown_keys_first() -> None:
    text = """\
transport: memory://
model: {weights: yolo.pt, precison: bf16, image_size: 650}
cameras:
  - {id: hall, url: a.mp4, fps: -3}
  - id: yard
    url: b.mp4
    mode: fast
  - {id: lane, url: c.mp4,
     fpss: 5}
drain: 0
"""
    assert faults(text) == [
        "c.yaml:2: model.precison: unknown key, did you mean precision?",
        "c.yaml:9: cameras[2].fpss: unknown key, did you mean fps?",
        "c.yaml:2: model.image_size: given 650; allowed: a multiple of 32 from 32 to 4096",
        "c.yaml:4: cameras[0].fps: given -3; allowed: a number above 0 and at most 240",
        'c.yaml:7: cameras[1].mode: given "fast"; allowed: live, archive',
        "c.yaml:10: drain: given 0; allowed: a duration above 0s and at most 1h",
    ]


def test_an_unknown_key_that_is_near_nothing_lists_what_is_known() -> None:
    assert faults(f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\noutputs: {{q: 1}}\n") == [
        "c.yaml:3: outputs.q: unknown key, allowed: results, video"
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "answer"),
    [
        (
            "\nendpoints:",
            "\nendpoint:",
            "c.yaml:11: endpoint: unknown key, did you mean endpoints?",
        ),
        ("\ncameras:", "\ncamera:", "c.yaml:4: camera: unknown key, did you mean cameras?"),
        ("\nmodel:", "\nmodle:", "c.yaml:2: modle: unknown key, did you mean model?"),
        ("url: ..", "ulr: ..", "c.yaml:5: cameras[0].ulr: unknown key, did you mean url?"),
        ("{id: exit", "{idd: exit", "c.yaml:7: zones[0].idd: unknown key, did you mean id?"),
        (
            "zone: exit",
            "zon: exit",
            "c.yaml:9: rules[0].zon: rule person-leaves: unknown key, did you mean zone?",
        ),
        (
            "secret: {env: ",
            "secert: {env: NOT_",
            "c.yaml:12: endpoints[0].secert: endpoint ops: unknown key, did you mean secret?",
        ),
    ],
)
def test_nothing_is_told_that_only_follows_from_a_misspelt_key(
    right: str, wrong: str, answer: str
) -> None:
    assert EXAMPLE.count(right) == 1
    assert faults(EXAMPLE.replace(right, wrong)) == [answer]


def test_a_misspelt_key_beside_the_right_one_hides_nothing() -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4, fps: -3, fpss: 5}}]\n"
    assert faults(text) == [
        "c.yaml:2: cameras[0].fpss: unknown key, did you mean fps?",
        "c.yaml:2: cameras[0].fps: given -3; allowed: a number above 0 and at most 240",
    ]


def test_an_unknown_key_comes_before_what_may_follow_from_it() -> None:
    text = EXAMPLE.replace("\nendpoints:", "\nwebhooks:")
    unknown, follows = faults(text)
    assert unknown.startswith(
        "c.yaml:11: webhooks: unknown key, allowed: transport, model, shadow, "
    )
    assert follows == (
        'c.yaml:10: rules[0].notify[0]: rule person-leaves: unknown endpoint "ops", allowed: none'
    )


@pytest.mark.parametrize(
    ("given_", "answer"),
    [
        ("model: yolo.pt", "model: given \"yolo.pt\"; allowed: a mapping with weights, backend, "
         "precision, image_size, confidence, iou, labels, sha256"),
        ("outputs: out", 'outputs: given "out"; allowed: a mapping with results, video'),
        ("rules: [leaves]", 'rules[0]: given "leaves"; allowed: a mapping with id, kind, cooldown, '
         "severity, notify, schedule, clip, camera, resolve, and the keys of its kind"),
        ("endpoints: [https://a.b]", 'endpoints[0]: given "https://a.b"; allowed: a mapping with '
         "id, url, secret, previous_secret, body, allow_private"),
        ("rules: [{id: r, kind: presence, camera: a, schedule: night}]", "rules[0].schedule: rule "
         'r: given "night"; allowed: a mapping with timezone, windows'),
        ("kafka: {tls: true}", "kafka.tls: given true; allowed: a mapping with ca, certificate, "
         "key"),
        ("kafka: {sasl: {username: a, password: b}}", "kafka.sasl.password: given a value that is "
         "not shown; allowed: {env: NAME} or {file: PATH}"),
        ("kafka: {retention: 3d}", 'kafka.retention: given "3d"; allowed: a time for each topic, '
         "as {frames: 10m, masks: 3d}"),
    ],
)  # fmt: skip
def test_where_a_mapping_belongs_its_keys_or_its_form_are_named(given_: str, answer: str) -> None:
    head = "" if given_.startswith("model") else SMALL
    found = faults(f"{head}{given_}\ncameras: [{{id: a, url: a.mp4}}]\n")
    assert [line.split(": ", 1)[1] for line in found] == [answer]


def test_a_topic_that_nobody_knows_is_an_unknown_key() -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\nkafka: {{retention: {{mask: 3d}}}}\n"
    assert faults(text) == ["c.yaml:3: kafka.retention.mask: unknown key, did you mean masks?"]


def test_what_a_topic_is_given_is_told_as_a_duration() -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\nkafka: {{retention: {{masks: true}}}}\n"
    assert faults(text) == [
        "c.yaml:3: kafka.retention.masks: given true; allowed: a duration above 0s"
    ]


@pytest.mark.parametrize("given", ["-3", "0s"])
def test_a_time_that_is_none_is_refused(given: str) -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\nkafka: {{retention: {{masks: {given}}}}}\n"
    given = given.replace("0s", '"0s"')
    told = f"c.yaml:3: kafka.retention.masks: given {given}; allowed: a duration above 0s"
    assert faults(text) == [told]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("collector:4318", "collector:4318"),
        ("ftp://collector", "ftp://collector"),
        ("http://", "http://"),
        ("http://me:hunter2@collector", "http://***@collector"),
        ("http://collector/?token=hunter2", "http://collector/?token=***"),
    ],
)
def test_traces_go_to_a_url_without_a_secret(given: str, shown: str) -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\ntraces: {{endpoint: '{given}', ratio: 2}}\n"
    allowed = "http:// or https:// and a host, without user, ? and #"
    assert faults(text) == [
        f'c.yaml:3: traces.endpoint: given "{shown}"; allowed: {allowed}',
        "c.yaml:3: traces.ratio: given 2; allowed: a number from 0 to 1",
    ]


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    text = f"{SMALL}cameras:\n  - id: hall\n    url: a.mp4\n    fps: 5\n    id: yard\n"
    assert faults(text) == ["c.yaml:6: cameras[0].id: key given twice, first on line 3"]


def test_what_is_missing_is_named_and_explained() -> None:
    assert faults("cameras: [{id: hall}]") == [
        "c.yaml:1: model: missing: the network",
        "c.yaml:1: cameras[0].url: missing: a file, or an rtsp:// or rtsps:// URL",
    ]


@pytest.mark.parametrize(
    ("given_", "answer"),
    [
        ("fps: 0", "fps: given 0; allowed: a number above 0 and at most 240"),
        ("fps: -3", "fps: given -3; allowed: a number above 0 and at most 240"),
        ("fps: .nan", "fps: given nan; allowed: a finite number above 0 and at most 240"),
        ("fps: .inf", "fps: given inf; allowed: a finite number above 0 and at most 240"),
        ("fps: 241", "fps: given 241; allowed: a number above 0 and at most 240"),
        ('fps: "10"', 'fps: given "10"; allowed: a number above 0 and at most 240'),
        ("fps: true", "fps: given true; allowed: a number above 0 and at most 240"),
        ("fps: 10 fps", 'fps: given "10 fps"; allowed: a number above 0 and at most 240'),
        ("fps: [10]", "fps: given [10]; allowed: a number above 0 and at most 240"),
        ("confidence: 1.5", "confidence: given 1.5; allowed: a number above 0 and below 1"),
        ("loop: yes", 'loop: given "yes"; allowed: true or false'),
        ("labels: person", 'labels: given "person"; allowed: a list: [...]'),
        ("labels: []", "labels: given []; allowed: at least 1 item"),
        ("labels: ['']", 'labels[0]: given ""; allowed: at least 1 character'),
        ("mode: {a: 1}", "mode: given a mapping; allowed: live, archive"),
        ("roi: [0.5, 0, 0.5, 1]", "roi: given [0.5, 0, 0.5, 1]; allowed: x1, y1, x2, y2 with "
         "x1 < x2 and y1 < y2"),
        ("roi: [0, 0, 1, 2]", "roi[3]: given 2; allowed: 0 to 1, a part of width or height"),
        ("tiles: {columns: 0, rows: 2}", "tiles.columns: given 0; "
         "allowed: a whole number from 1 to 16"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused(given_: str, answer: str) -> None:
    assert camera(f"id: hall, url: a.mp4, {given_}") == [answer]


def test_roi_and_tiles_exclude_each_other() -> None:
    both = "roi: [0, 0, 1, 1], tiles: {columns: 2, rows: 2}"
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4, {both}}}]"
    assert faults(text) == [
        "c.yaml:2: cameras[0]: roi and tiles are both given; allowed: one of them"
    ]


def test_a_duration_needs_a_unit_that_is_known() -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\ndrain: 5 minutes\n"
    assert faults(text) == [
        'c.yaml:3: drain: given "5 minutes"; '
        "allowed: 500ms, 5s, 2m, 1h, 30d, or a number of seconds"
    ]


def test_a_duration_out_of_range_is_told_as_a_duration() -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\ndrain: 90m\n"
    assert faults(text) == [
        'c.yaml:3: drain: given "90m"; allowed: a duration above 0s and at most 1h'
    ]


# --- YAML itself


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        (b"", "c.yaml:1: the file is empty"),
        (b"\n# nothing\n", "c.yaml:3: the file is empty"),
        (b"null", "c.yaml:1: given null; allowed: a mapping with transport, model, shadow, "
         "cameras, zones, rules, endpoints, evidence, outputs, freshness, camera_health, pictures, "
         "allowed, credentials, kafka, health, web, traces, drain"),
        (b"a: 1\nb: \xff", "c.yaml:2: not UTF-8: byte 0xff at 8"),
        (b"a: [1", "c.yaml:2: not YAML: did not find expected ',' or ']'"),
        (b"a: 1\n---\nb: 2", "c.yaml:2: a second document begins; allowed: one"),
        (b"[" * 100_000, "c.yaml:1: nested deeper than 32 levels"),
        (b"a:\n  b: " + b"{x: " * 40, "c.yaml:2: nested deeper than 32 levels"),
        (b"#" * (1 << 20) + b"\n", "c.yaml:1: 1048577 bytes; allowed: at most 1048576 (1 MiB)"),
    ],
    ids=["empty", "comments", "null", "utf8", "syntax", "documents", "deep", "deep2", "large"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(source: bytes, answer: str) -> None:
    assert faults(source) == [answer]


def test_a_list_at_the_top_is_refused() -> None:
    assert faults("- 1\n- 2")[0].startswith("c.yaml:1: given [1, 2]; allowed: a mapping with ")


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("!!python/object/apply:os.system ['id']", "!!python/object/apply:os.system"),
        ("!!binary aGVsbG8=", "!!binary"),
        ("!include other.yaml", "!include"),
    ],
)
def test_a_tag_is_refused_by_name(tag: str, name: str) -> None:
    answer = f"c.yaml:14: drain: tag {name}: tags are not allowed"
    assert faults(f"{EXAMPLE}drain: {tag}\n") == [answer]


@pytest.mark.parametrize("given_", ["!hunter2", "*hunter2"])
def test_a_secret_without_quotes_is_refused_and_not_shown(given_: str) -> None:
    told = faults(f"{EXAMPLE}kafka:\n  sasl:\n    username: a\n    password: {given_}\n")
    assert f"text that begins with {given_[0]} needs quotes" in told[0]
    assert "kafka.sasl.password: " in told[0]
    assert "hunter2" not in "".join(told)


def test_an_alias_bomb_is_refused_by_name() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcde", "bcdef", strict=True)
    )
    found = faults(bomb)
    assert "c.yaml:2: b[0]: alias *a: aliases are not allowed, write the value out" in found


def test_a_long_list_of_faults_is_cut() -> None:
    found = faults(EXAMPLE + "".join(f"k{n}: 1\n" for n in range(80)))
    assert len(found) == 51
    assert found[-1] == "c.yaml: and 30 more"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


# --- cameras


@pytest.mark.parametrize("name", ["../x", '"a\\0b"', "a" * 64, "Hall", "-a", '"hall\\n"', '""'])
def test_a_camera_id_has_few_letters(name: str) -> None:
    (answer,) = camera(f"id: {name}, url: a.mp4")
    assert answer.startswith("id: given ")
    assert answer.endswith(f"; {ID}")


def test_a_camera_id_is_text() -> None:
    assert camera("id: 5, url: a.mp4") == ["id: given 5; allowed: text"]


def test_a_camera_that_is_there_twice_is_refused() -> None:
    assert faults(f"{SMALL}cameras: [{{id: hall, url: a}}, {{id: hall, url: b}}]") == [
        'c.yaml:2: cameras[1].id: camera "hall" is there already as cameras[0]; ids must differ'
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("concat:a.mp4|b.mp4", "concat:a.mp4|b.mp4"),
        ("data:video/mp4;base64,AAAA", "data:video/mp4;base64,AAAA"),
        ("http://10.0.0.9/stream", "http://10.0.0.9/stream"),
        ("HTTP://10.0.0.9/stream", "HTTP://10.0.0.9/stream"),
        ("http://admin:hunter2@10.0.0.9/stream", "http://***@10.0.0.9/stream"),
        ("admin:hunter2@10.0.0.9", "***@10.0.0.9"),
    ],
)
def test_a_camera_url_of_another_scheme_is_refused(url: str, shown: str) -> None:
    assert camera(f'id: hall, url: "{url}"') == [f'url: given "{shown}"; {SCHEMES}']


def test_a_scheme_that_is_listed_is_allowed_and_files_need_not_be() -> None:
    text = (
        f"{SMALL}allowed: {{schemes: [https]}}\n"
        'cameras: [{id: a, url: "https://cam.example/a"}, {id: b, url: b.mp4}]\n'
    )
    assert faults(text) == ['c.yaml:3: cameras[1].url: given "b.mp4"; scheme not allowed (https)']


@pytest.mark.parametrize(
    "url", ["/etc/passwd", "../a.mp4", "clips/../../a.mp4", "file:///etc/passwd", "clips-2/a.mp4"]
)
def test_a_file_outside_the_allowed_folder_is_refused(url: str) -> None:
    text = f'{SMALL}allowed: {{folder: clips}}\ncameras: [{{id: a, url: "{url}"}}]\n'
    assert faults(text, "/srv/cams/") == [
        f'/srv/cams/c.yaml:3: cameras[0].url: given "{url}"; '
        "scheme not allowed (rtsp, rtsps, file under /srv/cams/clips)"
    ]


def test_a_link_that_leads_out_of_the_allowed_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/out").symlink_to("/etc")
    text = f"{SMALL}allowed: {{folder: clips}}\ncameras: [{{id: a, url: clips/out/passwd}}]\n"
    assert "scheme not allowed" in faults(text, f"{tmp_path}/")[0]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:hunter2@10.0.0.9/s", "rtsp://***@10.0.0.9/s"),
        ("rtsp://admin@10.0.0.9/s", "rtsp://***@10.0.0.9/s"),
        ("rtsp://admin:hun/ter2@h@10.0.0.9/s", "rtsp://***@10.0.0.9/s"),
        ("rtsp://h/s?user=a&password=hunter2", "rtsp://h/s?user=***&password=***"),
        ("rtsp://h/user=a_password=hunter2_channel=1", "rtsp://h/user=***"),
    ],
)
def test_credentials_inside_a_camera_url_are_refused_and_not_shown(url: str, shown: str) -> None:
    assert camera(f'id: hall, url: "{url}"') == [f'url: given "{shown}"; {CREDENTIALS}']


@pytest.mark.parametrize("url", ["rtsp:", "rtsp://", "rtsp://h:port/s", "rtsp://a b/", "rtsp://["])
def test_a_camera_url_without_a_host_is_refused(url: str) -> None:
    (answer,) = camera(f'id: hall, url: "{url}"')
    assert answer == f'url: given "{url}"; allowed: rtsp://host[:port]/path'


def test_archive_and_loop_are_for_files() -> None:
    assert camera('id: hall, url: "rtsp://h/s", mode: archive, loop: true') == [
        "mode: archive is for files; allowed here: live",
        "loop: loop is for files; allowed here: false",
    ]


@pytest.mark.parametrize("url", ["hall.mp4", "file:///srv/hall.mp4"])
def test_a_file_has_no_credentials(url: str) -> None:
    answers = camera(f"id: hall, url: {url}, credentials: hall")
    assert "credentials: credentials are for cameras on the network; allowed here: null" in answers


def test_credentials_need_a_folder() -> None:
    assert camera('id: hall, url: "rtsp://h/s", credentials: hall') == [
        "credentials: no folder of credentials is named; set credentials: FOLDER"
    ]


def test_a_privacy_polygon_that_crosses_itself_is_refused() -> None:
    bow = "[[0, 0], [1, 1], [1, 0], [0, 1]]"
    assert camera(f"id: hall, url: hall.mp4, privacy: [{bow}]") == [
        "privacy[0]: sides 0 and 2 cross: the polygon crosses itself"
    ]


@pytest.mark.parametrize(
    ("given_", "answer"),
    [
        ("[[[0, 0], [300, 0], [1, 1]]]", "privacy[0][1][0]: given 300; allowed: 0 to 1, a part of "
         "width or height"),
        ("[[[0, 0], [1, 1]]]", "privacy[0]: given a list of 2; allowed: at least 3 items"),
        ("[[0, 0], [1, 0], [1, 1]]", "privacy: given a list of 3; allowed: a list of polygons: "
         "[[[x, y], [x, y], [x, y]]]"),
        ("[0, 0, 1, 0, 1, 1]", "privacy: given a list of 6; allowed: a list of polygons: "
         "[[[x, y], [x, y], [x, y]]]"),
        ("[[0, 0, 1, 0, 1, 1]]", "privacy[0]: given a list of 6; allowed: corners, as fractions of "
         "width and height: [[x, y], [x, y], [x, y]]"),
    ],
)  # fmt: skip
def test_a_privacy_polygon_that_is_none_is_refused_in_one_line(given_: str, answer: str) -> None:
    assert camera(f"id: hall, url: hall.mp4, privacy: {given_}") == [answer]


# --- zones and rules

OF_ALL = ("given neither", "given both", "stay.score: given")
"""What is said of a rule as a whole, not of one field."""


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("kind: presence, zone: exitt", 'zone: unknown zone "exitt", did you mean exit?'),
        ("kind: presence, camera: hal", 'camera: unknown camera "hal", '
         "did you mean hall?"),
        ("kind: presence, zone: exit, labels: [persn]", 'labels[0]: unknown label "persn": '
         "it is not kept; did you mean person?"),
        ("kind: presence, camera: yard, labels: [person]", 'labels[0]: unknown label "person": '
         "it is not kept; allowed: dog"),
        ("kind: presence, zone: exit, notify: [ops, opps]", "notify[1]: unknown endpoint "
         '"opps", did you mean ops?'),
        ("kind: presence, zone: exit, camera: yard", 'camera: given "yard"; allowed: '
         "hall, the camera of its zone"),
        ("kind: presence, zone: exit, frames: 0", "frames: given 0; "
         "allowed: a whole number from 1 to 100000"),
        ("kind: dwell, zone: exit, duration: 0s", 'duration: given "0s"; '
         "allowed: a duration above 0s"),
        ("kind: presence, zone: exit, cooldown: -5", "cooldown: given -5; "
         "allowed: a duration of at least 0s"),
        ("kind: presence, zone: exit, overlap: 0", "overlap: given 0; "
         "allowed: a number above 0 and at most 1"),
        ("kind: health, conditions: [frozn]", 'conditions[0]: given "frozn"; allowed: '
         "lost, frozen, black, moved, resized, skewed, slow"),
        ("kind: health, conditions: []", "conditions: given []; allowed: at least 1 item"),
        ("kind: health", "conditions: missing: what it looks for: "
         "lost, frozen, black, moved, resized, skewed, slow"),
        ("kind: health, conditions: [lost], for: -1", "for: given -1; "
         "allowed: a duration of at least 0s"),
        ("kind: health, conditions: [lost], lasting: 3s", "lasting: unknown key, "
         "allowed: id, kind, cooldown, severity, notify, schedule, clip, camera, conditions, for, "
         "resolve"),
        ("kind: health, conditions: [lost], zone: exit", "zone: unknown key, "
         "allowed: id, kind, cooldown, severity, notify, schedule, clip, camera, conditions, for, "
         "resolve"),
        ("kind: health, conditions: [lost], camera: hal", 'camera: unknown camera "hal", '
         "did you mean hall?"),
        ("kind: presense, zone: exit", 'kind: given "presense"; allowed: absence, contact, '
         "count, coverage, crossing, dwell, health, presence"),
        ("zone: exit", "kind: missing; allowed: absence, contact, count, coverage, crossing, "
         "dwell, health, presence"),
        ("kind: crossing, camera: hall", "line: missing: its two ends, as fractions of width and "
         "height"),
        ("kind: crossing, camera: hall, line: [[0, 0.5], [0, 0.5]]", "line: given a list of 2; "
         "allowed: two points that are 0.001 apart or more"),
        ("kind: crossing, camera: hall, line: [[0.8191797936747233, 0], [0.8191797936747234, 0]]",
         "line: given a list of 2; allowed: two points that are 0.001 apart or more"),
        ("kind: crossing, camera: hall, line: [[0, 0.5], [1.5, 0.5]]", "line[1][0]: given 1.5; "
         "allowed: 0 to 1, a part of width or height"),
        ("kind: crossing, camera: hall, line: [[0, 0.5], [640, 1]]", "line[1][0]: given 640; "
         "allowed: 0 to 1, a part of width or height"),
        ("kind: crossing, camera: hall, line: [[0, 0], [1, 1], [1, 0]]", "line: given a list of "
         "3; allowed: two points: [[x, y], [x, y]]"),
        ("kind: crossing, camera: hall, line: [0, 0.5, 1, 0.5]", "line: given [0, 0.5, 1, 0.5]; "
         "allowed: two points: [[x, y], [x, y]]"),
        ("kind: crossing, camera: hall, line: [[0, 0], [1, 1]], direction: up", "direction: "
         'given "up"; allowed: any, left-to-right, right-to-left'),
        ("kind: crossing, camera: hall, line: [[0, 0], [1, 1]], point: center", "point: "
         'given "center"; allowed: contact, centre'),
        ("kind: contact, camera: hall, labels: [car]", "others: missing: the labels that it looks "
         "for beside those of `labels`"),
        ("kind: contact, camera: hall, others: []", "others: given []; allowed: at least 1 item"),
        ("kind: contact, camera: hall, others: [persn]", 'others[0]: unknown label "persn": '
         "it is not kept; did you mean person?"),
        ("kind: contact, camera: hall, others: [person], within: 20", "within: given 20; "
         "allowed: a number from 0 to 1"),
        ("kind: count, zone: exit", "given neither of at_least and at_most; allowed: one of them"),
        ("kind: count, zone: exit, at_least: 2, at_most: 3", "given both of at_least and at_most; "
         "allowed: one of them"),
        ("kind: count, zone: exit, at_least: 0", "at_least: given 0; "
         "allowed: a whole number from 1 to 100000"),
        ("kind: coverage, zone: exit, at_least: 30", "at_least: given 30; "
         "allowed: a number above 0 and at most 1"),
        ("kind: coverage, zone: exit", "given neither of at_least and at_most; allowed: one of "
         "them"),
        ("kind: absence, zone: exit", "for: missing: how long before an alert opens"),
        ("kind: absence, zone: exit, for: 0s", 'for: given "0s"; allowed: a duration above 0s'),
        ("kind: presence, zone: exit, ignore: [exitt]", 'ignore[0]: unknown zone "exitt", '
         "did you mean exit?"),
        ("kind: presence, camera: yard, ignore: [exit]", 'ignore[0]: given "exit", a zone of '
         "camera hall; allowed: zones of yard"),
        ("kind: absence, zone: exit, ignore: [exit], for: 5s", 'ignore[0]: given "exit", the zone '
         "that it watches; allowed: others"),
        ("kind: presence, zone: exit, score: 0.3, stay: {score: 0.4}", "stay.score: given 0.4; "
         "allowed: at most score, which is 0.3"),
        ("kind: presence, zone: exit, area: 400", "area: given 400; allowed: a number from 0 to 1"),
        ("kind: presence, zone: exit, schedule: {windows: []}", "schedule.windows: given []; "
         "allowed: at least 1 item"),
        ("kind: presence, zone: exit, schedule: {windows: [{days: [monday]}]}",
         'schedule.windows[0].days[0]: given "monday"; allowed: mon, tue, wed, thu, fri, sat, sun'),
        ("kind: presence, zone: exit, schedule: {windows: [{hours: 9-17}]}",
         'schedule.windows[0].hours: given "9-17"; allowed: HH:MM-HH:MM, as 22:00-06:00'),
        ("kind: presence, zone: exit, schedule: {timezone: Berlin, windows: [{}]}",
         'schedule.timezone: given "Berlin"; allowed: a name in the IANA time zone database, as '
         "Europe/Berlin or UTC"),
        ("kind: presence, zone: exit, framez: 3", "framez: unknown key, "
         "did you mean frames?"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_work_is_refused_by_name(rule: str, answer: str) -> None:
    zone = "[{id: exit, camera: hall, polygon: [[0, 0], [1, 0], [1, 1]]}]"
    ops = "[{id: ops, url: 'https://ops.example/hook', secret: {env: OPS_SECRET}}]"
    (found,) = with_rule(f"{{id: leaves, {rule}}}", zone, ops)
    *field, text = answer.split(": ", 1) if not answer.startswith(OF_ALL) else (answer,)
    place = ".".join(["rules[0]", *field])
    assert found == f"c.yaml:5: {place}: rule leaves: {text}"


@pytest.mark.parametrize("kind", ["presence", "crossing, line: [[0, 0], [1, 1]]"])
def test_a_rule_watches_something(kind: str) -> None:
    assert with_rule(f"{{id: leaves, kind: {kind}}}") == [
        "c.yaml:5: rules[0]: rule leaves: names neither a zone nor a camera; allowed: one of them"
    ]


@pytest.mark.parametrize(
    ("polygon", "answer"),
    [
        ("[[0, 0], [1, 1], [1, 0], [0, 1]]", "sides 0 and 2 cross: the polygon crosses itself"),
        ("[[0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1]]", "sides 0 and 2 cross: the polygon crosses "
         "itself"),
        ("[[0, 0], [0.5, 0.5], [1, 1]]", "the polygon has no area"),
        ("[[0, 0], [1, 0], [0.5, 0], [0.5, 1]]", "sides 0 and 1 fold back on each other"),
        ("[[0, 0], [1, 0], [1, 1], [0, 0]]", "corners 0 and 3 are the same"),
    ],
)  # fmt: skip
def test_a_zone_without_one_area_is_refused_and_names_its_rules(polygon: str, answer: str) -> None:
    zones = f"[{{id: exit, camera: hall, polygon: {polygon}}}]"
    rules = "{id: leaves, kind: presence, zone: exit}, {id: stays, kind: presence, zone: exit}"
    assert with_rule(rules, zones) == [
        f"c.yaml:3: zones[0].polygon: zone exit: {answer} (watched by rule leaves, stays)"
    ]


CORNERS = "allowed: corners, as fractions of width and height: [[x, y], [x, y], [x, y]]"


@pytest.mark.parametrize(
    ("polygon", "answer"),
    [
        ("[[0, 0], [1, 0]]", "polygon: zone exit: given a list of 2; allowed: at least 3 items"),
        (
            "[[0, 0], [640, 0], [1, 1]]",
            "polygon[1][0]: zone exit: given 640; allowed: 0 to 1, a part of width or height",
        ),
        ("[[0, 0], [1, 0], [1]]", "polygon[2][1]: zone exit: missing: a number"),
        ("all", f'polygon: zone exit: given "all"; {CORNERS}'),
        ("[0, 0, 100, 0, 100, 100]", f"polygon: zone exit: given a list of 6; {CORNERS}"),
    ],
)
def test_a_polygon_is_points_in_the_frame(polygon: str, answer: str) -> None:
    zones = f"[{{id: exit, camera: hall, polygon: {polygon}}}]"
    rule = "{id: r, kind: presence, zone: exit}"
    assert with_rule(rule, zones) == [f"c.yaml:3: zones[0].{answer}"]


def test_a_zone_of_an_unknown_camera_is_refused() -> None:
    zones = "[{id: exit, camera: hal, polygon: [[0, 0], [1, 0], [1, 1]]}]"
    assert with_rule("{id: r, kind: presence, zone: exit}", zones) == [
        'c.yaml:3: zones[0].camera: zone exit: unknown camera "hal", did you mean hall?'
    ]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=3, unique=True))
def test_a_triangle_never_crosses_itself(corners: list[tuple[float, float]]) -> None:
    assert "cross" not in str(polygon_fault(tuple(corners)))


@given(st.integers(3, 40), st.integers(0, 10), st.booleans())
def test_a_regular_polygon_is_fine_from_any_corner_and_either_way_round(
    count: int, start: int, turned: bool
) -> None:
    corners = [
        (0.5 + 0.4 * cos(2 * pi * n / count), 0.5 + 0.4 * sin(2 * pi * n / count))
        for n in range(count)
    ]
    moved = corners[start % count :] + corners[: start % count]
    assert polygon_fault(tuple(reversed(moved) if turned else moved)) is None


# --- endpoints


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://ops.example/hook", "allowed: https, or http with allow_private: true"),
        ("ftp://ops.example/hook", "allowed: https://host/path"),
        ("ops.example/hook", "allowed: https://host/path"),
        *[
            (f"https://{host}/hook", "allowed: a public address, or a private one with "
             "allow_private: true")
            for host in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]",
                         "localhost", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "[fe80::1]",
                         "224.0.0.1")
        ],
    ],
)  # fmt: skip
def test_a_webhook_to_a_private_or_plain_address_is_refused(url: str, answer: str) -> None:
    found = endpoint(f'url: "{url}", secret: {{env: OPS_SECRET}}')
    assert found == [f'url: endpoint ops: given "{url}"; {answer}']


def test_a_webhook_may_be_private_where_that_is_allowed() -> None:
    assert parse(EXAMPLE, FILE, env=ENV).endpoints[0].allow_private


def test_credentials_in_a_webhook_url_are_refused_and_not_shown() -> None:
    assert endpoint('url: "https://u:hunter2@ops.example/", secret: {env: OPS_SECRET}') == [
        'url: endpoint ops: given "https://***@ops.example/"; allowed: a URL without credentials'
    ]


def test_a_line_break_in_a_webhook_url_is_refused() -> None:
    (answer,) = endpoint('url: "https://ops.example/\\r\\nX-Evil: 1", secret: {env: OPS_SECRET}')
    assert answer == (
        'url: endpoint ops: given "https://ops.example/\\r\\nX-Evil: 1"; allowed: a URL without '
        "spaces, line breaks and control characters, as https://host/path"
    )


def test_a_line_break_in_the_name_of_a_webhook_is_refused() -> None:
    text = 'endpoints: [{id: "ops\\r\\nX-Evil: 1", url: "https://a.b", secret: {env: OPS_SECRET}}]'
    assert faults(f"{SMALL}cameras: [{{id: hall, url: a.mp4}}]\n{text}\n") == [
        'c.yaml:3: endpoints[0].id: endpoint ops\\r\\nX-Evil: 1: given "ops\\r\\nX-Evil: 1"; ' + ID
    ]


@pytest.mark.parametrize(
    ("secret", "answer"),
    [
        ("{env: NOT_SET}", ".env: endpoint ops: environment variable NOT_SET is not set"),
        ("{env: SHORT}", f".env: endpoint ops: given 23 bytes; {STRONG}"),
        ("{env: BROKEN}", f".env: endpoint ops: is not base64; {STRONG}"),
        ("{env: PLAIN}", f".env: endpoint ops: is not base64; {STRONG}"),
        ("{file: not/there}", ".file: endpoint ops: the file cannot be read: No such file or "
         "directory"),
        ("{}", ": endpoint ops: allowed: one of env and file"),
        ("{env: OPS_SECRET, file: x}", ": endpoint ops: allowed: one of env and file"),
        ("hunter2hunter2", ": endpoint ops: given a value that is not shown; allowed: {env: NAME} "
         "or {file: PATH}"),
        ("{env: whsec_hunter2}", ".env: endpoint ops: given a value that is not shown; allowed: "
         "the name of an environment variable, in capitals"),
    ],
)  # fmt: skip
def test_a_weak_or_missing_secret_is_refused_and_not_shown(secret: str, answer: str) -> None:
    found = endpoint(f"url: 'https://ops.example/hook', secret: {secret}")
    assert found == [f"secret{answer}"]
    assert "hunter2" not in found[0]
    url = "url: 'https://ops.example/hook', secret: {env: OPS_SECRET}"
    assert endpoint(f"{url}, previous_secret: {secret}") == [f"previous_secret{answer}"]


def test_a_body_that_nobody_knows_is_refused() -> None:
    assert endpoint("url: 'https://ops.example/hook', secret: {env: OPS_SECRET}, body: slack") == [
        'body: endpoint ops: given "slack"; allowed: json, alertmanager-v4, alertmanager'
    ]


# --- the rest


def test_an_output_never_writes_over_what_is_read() -> None:
    outputs = "outputs: {results: ./yolo.pt, video: a.mp4}"
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\n{outputs}\n"
    assert faults(text) == [
        "c.yaml:3: outputs.results: would write over the model's weights; allowed: another file",
        'c.yaml:3: outputs.video: would write over the file of camera "a"; allowed: another file',
    ]


def test_the_video_of_one_camera_never_writes_over_the_file_of_another() -> None:
    cameras = "cameras: [{id: door, url: clip-door.mp4}, {id: hall, url: hall.mp4}]"
    assert faults(f"{SMALL}{cameras}\noutputs: {{video: clip.mp4}}\n") == [
        'c.yaml:3: outputs.video: would write over the file of camera "door"; allowed: another file'
    ]


def test_a_transport_that_is_not_known_is_refused() -> None:
    assert faults(f"transport: amqp://h\n{SMALL}cameras: [{{id: a, url: a.mp4}}]") == [
        'c.yaml:1: transport: given "amqp://h"; allowed: memory:// or kafka://host:port[,host:port]'
    ]


def test_a_partition_that_is_not_there_is_refused() -> None:
    text = f"transport: kafka://h:9092\n{SMALL}cameras: [{{id: a, url: a.mp4, partition: 4}}]\n"
    assert faults(text + "kafka: {partitions: 4}\n") == [
        "c.yaml:3: cameras[0].partition: given 4; allowed: 0 to 3, as kafka.partitions is 4"
    ]


def test_raw_pictures_stay_in_one_process() -> None:
    text = f"transport: kafka://h:9092\n{SMALL}cameras: [{{id: a, url: a.mp4}}]\n"
    assert faults(text + "pictures: {encoding: raw}\n") == [
        "c.yaml:4: pictures.encoding: raw is for memory://; allowed here: auto, jpeg"
    ]


def test_a_shadow_is_for_kafka() -> None:
    text = f"{SMALL}cameras: [{{id: a, url: a.mp4}}]\nshadow: {{name: next, weights: b.pt}}\n"
    assert faults(text) == [
        "c.yaml:3: shadow: given a network; allowed on memory://: null, as it has no place beside "
        "the first"
    ]
    assert faults(f"transport: kafka://h:9092\n{SMALL}shadow: {{name: A.b, weights: b.pt}}\n") == [
        'c.yaml:3: shadow.name: given "A.b"; id must match ^[a-z0-9][a-z0-9-]{0,62}$'
    ]


def test_a_password_in_the_transport_is_not_shown() -> None:
    text = f"transport: kafka://u:hunter2@h:9092\n{SMALL}cameras: [{{id: a, url: a.mp4}}]"
    assert 'given "kafka://***@h:9092"' in faults(text)[0]


@given(st.text(string.ascii_letters + string.digits + "/:@"))
def test_a_password_before_an_at_sign_is_never_left(rest: str) -> None:
    assert "hunter2" not in redact(f"rtsp://admin:hunter2{rest}@host/stream")


# --- anything at all

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
INNER = {"id", "url", "kind", "zone", "camera", "polygon", "notify", "secret", "env", "folder"}
KEYS = st.sampled_from(sorted({*Settings.model_fields, *INNER}))
TREES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=30,
)


def refusal(source: bytes | str) -> str:
    """The error of a configuration, or the start of one where it was accepted."""
    try:
        parse(source, FILE, env=ENV)
    except ConfigError as error:
        return str(error)
    return FILE


@given(st.binary(max_size=200) | st.text(max_size=200))
@example("\ud800")
@example('cameras: ["\\ud800", {"\\ud800": 1}]')
@example("model: " + "9" * 500)
@example("drain: " + "9" * 399)
@example("cameras: [{id: a, url: 'file:\\0'}]")
def test_no_bytes_lead_to_another_error(source: bytes | str) -> None:
    assert refusal(source).encode().startswith(FILE.encode())


@given(st.text("[]{}:,-?&*!|>'\"%@`#\n \tab1.", max_size=60))
def test_no_punctuation_leads_to_another_error(source: str) -> None:
    assert refusal(source).encode().startswith(FILE.encode())


@given(st.dictionaries(KEYS, TREES, min_size=1, max_size=6))
def test_no_tree_of_values_leads_to_another_error(tree: dict[str, object]) -> None:
    assert refusal(yaml.safe_dump(tree, allow_unicode=False)).encode().startswith(FILE.encode())


@given(st.lists(st.sampled_from(EXAMPLE.split()), max_size=60).map(" ".join))
def test_no_shuffled_example_leads_to_another_error(source: str) -> None:
    assert refusal(source).encode().startswith(FILE.encode())


def paths(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value in a tree but the tree itself."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    inner = [((*at, key), one) for key, one in pairs]
    deeper = [
        path for here, one in inner if isinstance(one, dict | list) for path in paths(one, here)
    ]
    return [here for here, _ in inner] + deeper


@given(st.sampled_from(paths(yaml.safe_load(EXAMPLE))), TREES)
def test_no_value_in_the_example_s_place_leads_to_another_error(
    path: tuple[str | int, ...], value: object
) -> None:
    tree = yaml.safe_load(EXAMPLE)
    inner = tree
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    assert refusal(yaml.safe_dump(tree)).encode().startswith(FILE.encode())
