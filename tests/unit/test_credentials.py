"""Which host a camera's password may be sent to."""

import re
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


MAPPING = "allowed: a mapping with user, password, hosts"
HOST = "allowed: a name, an address, or a network by its first address, as 10.0.3.0/24"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{user: eye, hosts: [cam.lan]}", "1: password: missing; allowed: text"),
        (f"user: eye\npassword: '{CANARY}'\nhosts: []", "3: hosts: given a value"),
        (f"password: '{CANARY}'\nuser: 'a:b'\nhosts: [a]", "2: user: given a value"),
        (f"user: eye\npassword: [{CANARY}]\nhosts: [a]", "2: password: given a value"),
        ("user: eye\npassword: 1234\nhosts: [a]", "2: password: given a value"),
        (f"user: eye\npassword: '{CANARY}'\nport: 5\nhosts: [a]", f"3: unknown key; {MAPPING}"),
        (f"- {CANARY}", f"1: given what is no mapping; {MAPPING}"),
    ],
)
def test_an_entry_that_is_not_right_is_refused_with_its_line_and_without_its_password(
    folder: Path, text: str, told: str
) -> None:
    assert f"hall.yaml:{told}" in refusal(folder, text)


@pytest.mark.parametrize(
    "host", ["10.0.3.7/24", "10.0.3.*", "cam.lan:554", "rtsp://cam.lan", "*", ""]
)
def test_a_host_that_no_camera_would_match_is_refused(folder: Path, host: str) -> None:
    (told,) = refusal(folder, f"user: eye\npassword: x\nhosts:\n- '{host}'\n").splitlines()
    assert told.endswith(f'hall.yaml:4: hosts[0]: given "{host}"; {HOST}')


@pytest.mark.parametrize(
    "text",
    [
        f"{{user: eye, password:{CANARY}, hosts: [a]}}",
        f"{{user: eye, password: !{CANARY}, hosts: [a]}}",
        "{user: eye, password: *s3cret, hosts: [a]}",
        "!s3cret",
        f"{{user: eye, {CANARY}: 1, {CANARY}: 2}}",
        f"{{user: eye, password: @{CANARY}, hosts: [a]}}",
        f"{{user: eye, password: {{{CANARY}, hosts: [a]}}",
    ],
)
def test_a_password_without_quotes_is_shown_as_nothing_else(folder: Path, text: str) -> None:
    assert re.search(r"hall\.yaml:[12]: ", refusal(folder, text))


def refusal(folder: Path, text: str) -> str:
    """What is said of an entry that reads ``text``; nothing of its password."""
    (folder / "hall.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        with_credentials(camera(), folder)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


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
