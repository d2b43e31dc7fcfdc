"""Which host a camera's password may be sent to."""

from pathlib import Path

import pytest

from stream.config import check_files, parse, with_credentials
from stream.errors import ConfigError
from stream.specs import CameraSpec

CANARY = "s3cret/with:odd@signs"
FILE = f"{{user: eye, password: '{CANARY}', hosts: [cam.lan, 10.0.3.0/24, 'fd00::1']}}\n"


def camera(host: str = "cam.lan", credentials: str | None = "hall") -> CameraSpec:
    return CameraSpec(id="hall", url=f"rtsp://{host}/live?channel=1", credentials=credentials)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hall.yaml").write_text(FILE)
    return tmp_path


@pytest.mark.parametrize(
    "host", ["cam.lan", "CAM.LAN.", "cam.lan:8554", "10.0.3.7", "10.0.3.7:554", "[fd00::1]:554"]
)
def test_a_password_goes_to_a_host_that_its_entry_lists(folder: Path, host: str) -> None:
    url = with_credentials(camera(host), folder)
    assert url == f"rtsp://eye:s3cret%2Fwith%3Aodd%40signs@{host}/live?channel=1"


@pytest.mark.parametrize("host", ["evil.example", "cam.lan.evil.example", "10.0.4.7", "[fd00::2]"])
def test_a_password_goes_nowhere_else(folder: Path, host: str) -> None:
    with pytest.raises(ConfigError, match="credentials hall may not be sent to ") as caught:
        with_credentials(camera(host), folder)
    assert CANARY not in str(caught.value)


def test_a_camera_without_credentials_has_its_url(tmp_path: Path) -> None:
    assert with_credentials(camera(credentials=None), None) == "rtsp://cam.lan/live?channel=1"


def test_a_password_may_change_while_everything_runs(folder: Path) -> None:
    with_credentials(camera(), folder)
    (folder / "hall.yaml").write_text(FILE.replace(CANARY, "new"))
    assert "eye:new@" in with_credentials(camera(), folder)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{user: eye, hosts: [cam.lan]}", "password"),
        (f"{{user: eye, password: '{CANARY}'}}", "hosts"),
        (f"{{user: eye, password: '{CANARY}', hosts: []}}", "hosts"),
        (
            f"{{user: 'a:b', password: '{CANARY}', hosts: [cam.lan]}}",
            "user",
        ),
        (
            f"{{user: eye, password: '{CANARY}', hosts: [a], port: 5}}",
            "port",
        ),
        (
            f"{{user: eye, password: [{CANARY}], hosts: [a]}}",
            "password",
        ),
        (f"- {CANARY}", "the file"),
    ],
)
def test_an_entry_that_is_not_right_is_refused_without_its_password(
    folder: Path, text: str, wrong: str
) -> None:
    (folder / "hall.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        with_credentials(camera(), folder)
    assert f"hall.yaml: missing or wrong: {wrong}; allowed: " in str(caught.value)
    assert CANARY not in str(caught.value)


def test_an_entry_with_a_tag_is_refused_with_its_line(folder: Path) -> None:
    (folder / "hall.yaml").write_text(f"user: eye\npassword: !secret {CANARY}\n")
    with pytest.raises(ConfigError, match=r"hall\.yaml:2: ") as caught:
        with_credentials(camera(), folder)
    assert CANARY not in str(caught.value)


def test_an_entry_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"credentials hall: .*hall\.yaml: No such file"):
        with_credentials(camera(), tmp_path)


CONFIG = """\
model: {weights: gone.pt}
credentials: secrets
cameras:
  - {id: hall, url: "rtsp://cam.lan/live", credentials: hall}
  - {id: gate, url: "rtsp://evil.example/live", credentials: hall}
  - {id: yard, url: "rtsp://cam.lan/live", credentials: yard}
"""


def test_a_start_checks_every_camera_s_credentials(tmp_path: Path) -> None:
    (tmp_path / "gone.pt").touch()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "hall.yaml").write_text(FILE)
    with pytest.raises(ConfigError) as caught:
        check_files(parse(CONFIG, tmp_path / "maskstream.yaml"))
    gate, yard = str(caught.value).splitlines()
    assert "maskstream.yaml:5: cameras[1].credentials: " in gate
    assert "credentials hall may not be sent to evil.example" in gate
    assert "maskstream.yaml:6: cameras[2].credentials: credentials yard: " in yard
