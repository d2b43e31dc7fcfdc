"""Lists of cameras beside the configuration: what is refused, and in which words."""

from pathlib import Path
from typing import Any

import pytest

from stream.config import (
    Settings,
    check_watched,
    parse,
    read_camera,
    read_cameras,
    registered_url_fault,
)
from stream.errors import ConfigError
from stream.registry import by_id

ON_KAFKA = "transport: kafka://127.0.0.1:9092\nmodel: {weights: yolo.pt}\n"


def settings(more: str = "") -> Settings:
    return parse(ON_KAFKA + more, "/etc/maskstream/maskstream.yaml")


def faults(text: str, more: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_cameras(text.encode(), Path("/etc/cameras.yaml"), settings(more))
    return str(caught.value).splitlines()


NAMES = "{id: hall, url: rtsp://camera/1, credentials: hall}"


def test_a_camera_may_name_credentials_where_the_configuration_has_a_folder() -> None:
    folder = settings("credentials: secrets\n")
    assert read_camera(NAMES.encode(), Path("hall.yaml"), folder).credentials == "hall"
    (hall,) = read_cameras(f"cameras: [{NAMES}]".encode(), Path("cameras.yaml"), folder)
    assert hall.credentials == "hall"


def test_a_camera_that_names_credentials_without_a_folder_is_refused() -> None:
    (told,) = faults(f"cameras: [{NAMES}]")
    assert told == (
        "/etc/cameras.yaml:1: cameras[0].credentials: camera hall: no folder of credentials is "
        "named; set credentials: FOLDER"
    )


def test_a_camera_that_does_not_look_for_whom_evidence_blurs_is_refused() -> None:
    camera = "{id: hall, url: rtsp://camera/1, labels: [car]}"
    (told,) = faults(f"cameras: [{camera}]", "evidence: {store: out, blur: [person]}\n")
    assert 'cameras[0].labels: camera hall: lacks "person", which evidence.blur blurs' in told


def test_a_list_is_read() -> None:
    text = b"cameras:\n- {id: hall, url: rtsp://camera/1, fps: 5}\n- {id: yard, url: rtsps://c/2}\n"
    hall, yard = read_cameras(text, Path("cameras.yaml"), settings())
    assert (hall.id, hall.fps, yard.url) == ("hall", 5, "rtsps://c/2")


def test_a_list_may_be_empty() -> None:
    assert read_cameras(b"cameras: []", Path("cameras.yaml"), settings()) == ()


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ("{id: hall, url: rtsp://c/1, fps: -3}", "fps: camera hall: given -3; "
         "allowed: a number above 0 and at most 240"),
        ("{id: hall, url: rtsp://c/1, fpss: 3}", "fpss: camera hall: unknown key, did you mean fp"),
        ("{id: hall, ulr: rtsp://c/1}", "ulr: camera hall: unknown key, did you mean url?"),
        ("{id: hall}", "url: camera hall: missing: a file, or an rtsp:// or rtsps:// URL"),
        ("{id: Hall, url: rtsp://c/1}", 'id: camera Hall: given "Hall"; id must match ^[a-z0-9]'),
        (
            "{id: hall, url: http://c/1}",
            'url: camera hall: given "http://c/1"; scheme not allowed (rtsp, rtsps, file',
        ),
        (
            "{id: hall, url: 'rtsp://me:hunter2@c/1'}",
            'url: camera hall: given "rtsp://***@c/1"; credentials inside a URL are refused',
        ),
        (
            "{id: hall, url: rtsp://c/1, partition: 48}",
            "partition: camera hall: given 48; allowed: 0 to 47, as kafka.partitions is 48",
        ),
        (
            "{id: hall, url: film.mp4}",
            'url: camera hall: given "/etc/film.mp4"; a file needs allowed.folder',
        ),
        (
            "{id: hall, url: rtsp://c/1, mode: archive}",
            "mode: camera hall: archive is for files; allowed here: live",
        ),
    ],
)  # fmt: skip
def test_a_fault_names_the_file_the_line_the_camera_and_the_field(camera: str, said: str) -> None:
    (fault,) = faults(f"cameras:\n- {{id: first, url: rtsp://c/0}}\n- {camera}\n")
    assert fault.startswith(f"/etc/cameras.yaml:3: cameras[1].{said}")
    assert "hunter2" not in fault


def test_all_faults_are_told_at_once() -> None:
    told = faults("cameras:\n- {id: a, url: rtsp://c/1, fps: 0}\n- {id: a, url: ''}\n")
    assert [each.split(": ")[1] for each in told] == [
        "cameras[0].fps", "cameras[1].url", "cameras[1].id",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {id: hall, url: rtsp://c/1}", "given a list of 1; allowed: cameras: [...]"),
        ("", "the file is empty"),
        ("cameras: []\nmodel: {}", 'given "cameras", "model"; allowed: cameras: [...]'),
        ("cameras: {id: hall}", "cameras: given a mapping; allowed: a list"),
    ],
)
def test_a_file_that_is_no_list_of_cameras_is_refused(text: str, said: str) -> None:
    assert said in faults(text)[0]


def test_a_file_under_the_allowed_folder_is_allowed() -> None:
    text = b"cameras: [{id: film, url: films/a.mp4}]"
    allowed = settings("allowed: {folder: /etc/films}")
    (film,) = read_cameras(text, Path("/etc/cameras.yaml"), allowed)
    assert film.url == "/etc/films/a.mp4"
    assert registered_url_fault(film.url, allowed) is None


def test_a_file_that_the_configuration_names_is_allowed() -> None:
    own = settings("cameras: [{id: film, url: /films/a.mp4}]")
    assert registered_url_fault("/films/a.mp4", own) is None
    assert registered_url_fault("/etc/passwd", own) is not None


def test_one_camera_is_read_with_its_own_places() -> None:
    text = b"id: hall\nurl: rtsp://camera/1\nfps: 5\n"
    assert read_camera(text, Path("hall.yaml"), settings()).fps == 5
    with pytest.raises(
        ConfigError,
        match=r"^hall.yaml:3: fps: camera hall: given -5; allowed: a number above 0 and at most",
    ):
        read_camera(text.replace(b"5", b"-5"), Path("hall.yaml"), settings())
    with pytest.raises(ConfigError, match=r"^hall.yaml:1: given 7; allowed: {id: ..., url: ...}"):
        read_camera(b"7", Path("hall.yaml"), settings())


RULES = """\
zones: [{id: exit, camera: hall, polygon: [[0, 0], [1, 0], [1, 1]]}]
rules: [{id: gone, kind: presence, zone: exit, labels: [person]}]
"""


def test_without_a_list_zones_and_rules_are_checked_against_the_registry() -> None:
    found: dict[str, Any] = by_id(
        read_cameras(b"cameras: [{id: hal, url: rtsp://c/1}]", Path("c.yaml"), settings())
    )
    with pytest.raises(ConfigError, match=r"maskstream.yaml:3: zones\[0\].camera: zone exit: unkn"):
        check_watched(settings(RULES), found)
    check_watched(settings(RULES), {"hall": found["hal"].model_copy(update={"id": "hall"})})


def test_on_memory_a_camera_is_needed() -> None:
    for given, said in (("", "missing"), ("cameras: []\n", r"given \[\]")):
        with pytest.raises(ConfigError, match=f"cameras: {said}; allowed on memory://: at least 1"):
            parse("model: {weights: yolo.pt}\n" + given, "maskstream.yaml")
