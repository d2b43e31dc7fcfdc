"""A right configuration: what the settings hold, and how they are shown."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from stream.cli.arguments import Part
from stream.cli.jobs import job_of
from stream.cli.kafka_only import settings_of_role
from stream.config import (
    Settings,
    check_labels,
    check_text,
    load,
    parse,
    password,
    reference,
    signing_key,
)
from stream.config.reference import EXAMPLE
from stream.errors import ConfigError
from stream.rules import Health, Presence
from stream.specs import CameraSpec, SecretSource, duration, seconds

ROOT = Path(__file__).parents[2]
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ENV = {"OPS_SECRET": KEY}
SMALL = """\
model: {weights: yolo.pt}
cameras:
  - {id: hall, url: hall.mp4}
"""


def read(text: str, file: str = "/srv/cams/maskstream.yaml") -> Settings:
    return parse(text, file, env=ENV)


def test_the_example_of_the_documentation_loads() -> None:
    settings = parse(EXAMPLE, ROOT / "maskstream.yaml", env=ENV)
    rule = settings.rules[0]
    assert isinstance(rule, Presence)
    assert (rule.frames, rule.overlap, rule.cooldown, rule.notify) == (3, 0.3, 5.0, ("ops",))
    assert settings.model.precision == "bf16"
    assert settings.model.weights == ROOT.parent / "shared/weights/yolov8n-seg.pt"
    assert settings.cameras[0].fps == 10
    assert settings.zones[0].polygon[0] == (0.8, 0.3)
    assert settings.endpoints[0].secret.env == "OPS_SECRET"
    assert settings.outputs.results == ROOT / "out/results.jsonl"


def test_what_is_left_out_has_a_sensible_default() -> None:
    settings = read(SMALL)
    assert settings.transport == "memory://"
    assert settings.model.precision == "f32"
    assert settings.freshness.max_age == 1.0
    assert settings.drain == 10.0
    assert (settings.pictures.encoding, settings.pictures.quality) == ("auto", 80)
    assert settings.pictures.max_pixels >= 3840 * 2160
    assert [*settings.zones, *settings.rules, *settings.endpoints] == []
    assert settings.outputs.results is None


def test_paths_are_relative_to_the_configuration_file() -> None:
    settings = read(
        """\
model: {weights: ../models/yolo}
cameras:
  - {id: a, url: clips/a.mp4}
  - {id: b, url: /data/b.mp4}
  - {id: c, url: "file:///data/my%20clip.mp4"}
  - {id: d, url: "rtsp://10.0.0.9:554/stream?channel=1"}
outputs: {results: out/results.jsonl}
allowed: {folder: /}
"""
    )
    assert settings.model.weights == Path("/srv/models/yolo")
    assert [camera.url for camera in settings.cameras] == [
        "/srv/cams/clips/a.mp4",
        "/data/b.mp4",
        "/data/my clip.mp4",
        "rtsp://10.0.0.9:554/stream?channel=1",
    ]
    assert settings.outputs.results == Path("/srv/cams/out/results.jsonl")


def test_a_file_is_loaded_relative_to_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(SMALL)
    assert load(tmp_path / "c.yaml").model.weights == tmp_path / "yolo.pt"


def test_a_spec_that_is_made_in_code_keeps_its_paths() -> None:
    assert CameraSpec(id="hall", url="clips/a.mp4").url == "clips/a.mp4"


@pytest.mark.parametrize(
    ("written", "meant_s"),
    [
        ("500ms", 0.5),
        ("5s", 5),
        ("1.5s", 1.5),
        ("2m", 120),
        ("1h", 3600),
        ("0.01d", 864),
        ("5", 5),
        ("0.25", 0.25),
    ],
)
def test_durations_have_units(written: str, meant_s: float) -> None:
    assert read(SMALL + f"drain: {written}\n").drain == meant_s


@given(st.integers(0, 10**12))
def test_a_duration_survives_being_shown(value_us: int) -> None:
    assert seconds(duration(value_us / 1e6)) == pytest.approx(value_us / 1e6, abs=1e-9)


def test_words_that_older_yaml_turns_into_other_things_stay_text() -> None:
    settings = read(
        "model: {weights: yolo.pt, labels: [no, on, 12:30, 1_000]}\n" + SMALL.partition("\n")[2]
    )
    assert settings.model.labels == ("no", "on", "12:30", "1_000")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read(SMALL).drain = 3  # type: ignore[misc]


def test_what_check_prints_can_be_loaded_again_and_means_the_same() -> None:
    settings = parse(EXAMPLE, ROOT / "maskstream.yaml", env=ENV)
    shown = check_text(settings)
    again = parse(shown, ROOT / "elsewhere" / "c.yaml", env=ENV)
    assert again.model_dump() == settings.model_dump()
    assert "cooldown: 5s" in shown
    assert "max_age: 1s" in shown


def test_a_rule_on_health_is_shown_as_it_is_written() -> None:
    rule = "{id: down, kind: health, conditions: [lost, frozen], for: 90s}"
    text = EXAMPLE.replace("endpoints:", f"  - {rule}\nendpoints:")
    settings = read(text)
    assert settings.rules[-1] == Health.model_validate(
        {"id": "down", "conditions": ["lost", "frozen"], "for": "90s"}
    )
    shown = check_text(settings)
    assert "for: 90s" in shown
    assert "frozen_after: 10s" in shown
    assert read(shown).model_dump() == settings.model_dump()


def test_a_password_is_read_with_all_of_its_letters(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(" größer=;x \n".encode())
    assert password(SecretSource(file=file), {}).get_secret_value() == " größer=;x "


def test_a_password_in_another_encoding_is_refused_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes("canary-größer".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"^the file is not UTF-8$"):
        password(SecretSource(file=file), {})


def test_check_shows_where_a_secret_is_and_never_the_secret() -> None:
    text = EXAMPLE.replace("9000/hook", "9000/hook?token=hunter2")
    shown = check_text(parse(text, "c.yaml", env=ENV))
    assert "secret: {env: OPS_SECRET, file: null}" in shown
    assert "hook?token=***" in shown
    assert "hunter2" not in shown
    assert KEY not in shown


def test_a_signing_key_is_what_the_receivers_library_takes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(KEY + "\n")
    for source, env in [
        (SecretSource(env="OPS_SECRET"), ENV),
        (SecretSource(env="OPS_SECRET"), {"OPS_SECRET": KEY.removeprefix("whsec_").rstrip("=")}),
        (SecretSource(file=tmp_path / "secret"), {}),
    ]:
        key = signing_key(source, env)
        assert key.get_secret_value() == Webhook(KEY)._whsecret
        assert KEY[6:] not in repr(key)


def test_secrets_are_not_asked_for_where_they_are_not_needed() -> None:
    assert parse(EXAMPLE, "c.yaml", secrets=False, env={}).endpoints[0].id == "ops"


@pytest.mark.parametrize("role", ["ingest", "segment", "watch", "web"])
def test_a_role_is_not_asked_for_secrets_of_others(role: str) -> None:
    assert parse(EXAMPLE, "c.yaml", role=role, env={}).endpoints[0].id == "ops"


def test_a_role_is_asked_for_the_secrets_that_it_uses() -> None:
    with pytest.raises(ConfigError, match="OPS_SECRET is not set"):
        parse(EXAMPLE, "c.yaml", role="notify", env={})
    page = "web: {host: 0.0.0.0, token: {env: PAGE_TOKEN}}\n"
    with pytest.raises(ConfigError, match="PAGE_TOKEN is not set"):
        parse(EXAMPLE + page, "c.yaml", role="web", env={})
    assert parse(EXAMPLE + page, "c.yaml", role="watch", env={}).web is not None


def test_labels_that_the_model_has_are_accepted() -> None:
    check_labels(read(EXAMPLE), ["person", "car"])


def test_a_label_that_the_model_does_not_have_is_refused_at_start_with_its_line() -> None:
    settings = read(
        """\
model: {weights: yolo.pt}
cameras:
  - {id: hall, url: hall.mp4, labels: [persn, car]}
rules:
  - {id: leaves, kind: presence, camera: hall, labels: [persn]}
"""
    )
    with pytest.raises(ConfigError) as error:
        check_labels(settings, ["person", "car"])
    assert str(error.value).splitlines() == [
        '/srv/cams/maskstream.yaml:3: cameras[0].labels[0]: camera hall: unknown label "persn", '
        "did you mean person?",
        '/srv/cams/maskstream.yaml:5: rules[0].labels[0]: rule leaves: unknown label "persn", '
        "did you mean person?",
    ]


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    assert page == reference(), "run: maskstream config docs > docs/configuration.md"


def test_the_reference_page_tells_of_every_key() -> None:
    page = reference()
    for key in ("precision", "cooldown", "allow_private", "max_age", "frames", "duration"):
        assert f"| `{key}` |" in page
    assert "| `cooldown` | duration of at least 0s | `0s` |" in page
    assert EXAMPLE in page


SHADOWED = (
    SMALL
    + """\
transport: kafka://127.0.0.1:9092
shadow: {name: next, weights: next, labels: [person, unicorn]}
"""
)


def test_a_shadow_has_all_that_a_model_has_and_a_topic_of_its_own() -> None:
    shadow = read(SHADOWED).shadow
    assert shadow is not None
    assert (shadow.masks, shadow.precision, shadow.confidence) == ("masks.next", "f32", 0.25)


def test_labels_of_a_shadow_are_told_of_where_they_stand() -> None:
    settings = read(SHADOWED)
    check_labels(settings, ["person"])
    with pytest.raises(ConfigError, match=r"yaml:5: shadow.labels\[1\]: unknown label \"unicorn\""):
        check_labels(settings, ["person"], shadow=True)


def test_a_shadow_takes_the_place_of_the_model_in_the_settings_of_its_process() -> None:
    settings = read(SHADOWED)
    job = job_of(Part.SHADOW, settings)
    assert job.own(settings).model == settings.shadow
    assert (job.group, job.reads) == ("shadow.next", ("frames",))
    assert job.outlet.topics == ("masks.next",)
    whole = job_of(Part.WHOLE, settings)
    assert whole.own(settings).model == settings.model
    assert whole.outlet.topics == ("masks", "dead-letters")


@pytest.mark.parametrize("role", ["shadow", "compare"])
def test_where_no_shadow_is_set_none_runs(tmp_path: Path, role: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"transport: kafka://broker:9092\n{SMALL}")
    assert settings_of_role(config, "watch").shadow is None
    with pytest.raises(ConfigError, match="shadow: not set; allowed: a network with a name"):
        settings_of_role(config, role)
