"""The section ``evidence``: what it takes, and what is refused."""

import pytest

from stream.config import Settings, check_labels, check_text, parse
from stream.errors import ConfigError

HEAD = """\
model: {weights: yolo.pt%s}
cameras: [{id: hall, url: a.mp4%s}]
"""
RULE = """\
rules: [{id: seen, kind: presence, camera: hall, notify: [ops], clip: {before: 2s}}]
endpoints: [{id: ops, url: https://ops.example/hook, secret: {env: SECRET}}]
"""


def settings(evidence: str, model: str = "", camera: str = "", rest: str = "") -> Settings:
    text = HEAD % (model, camera) + f"evidence: {evidence}\n{rest}"
    return parse(text, "/srv/c.yaml", env={"KEY": "k", "EMPTY": "", "SECRET": 32 * "A"})


def faults(*args: str, **more: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        settings(*args, **more)
    return str(error.value).splitlines()


def test_a_store_is_a_folder_beside_the_configuration_or_a_bucket() -> None:
    def store(given: str) -> str:
        evidence = settings(f"{{store: {given}}}").evidence
        assert evidence is not None
        return evidence.store

    assert store("out/evidence") == "/srv/out/evidence"
    assert store("/var/evidence") == "/var/evidence"
    assert store("s3://our-bucket") == "s3://our-bucket"
    assert store("s3://our-bucket/hall/") == "s3://our-bucket/hall"


def test_what_is_stored_is_kept_for_a_month_unless_said_otherwise() -> None:
    evidence = settings("{store: out}").evidence
    assert evidence is not None
    assert evidence.keep == 30 * 86_400
    assert evidence.blur == ()


@pytest.mark.parametrize(
    ("evidence", "answer"),
    [
        ("{}", "store: missing: where pictures are stored: a folder, or s3://bucket/prefix"),
        (
            "{store: gs://bucket}",
            'store: given "gs://bucket"; allowed: a folder, or s3://bucket/prefix',
        ),
        ("{store: s3://}", 'store: given "s3://"; allowed: a folder, or s3://bucket/prefix'),
        ("{store: 's3://key:word@bucket'}", "allowed: a folder, or s3://bucket/prefix"),
        ("{store: out, keep: 0}", "keep: given 0; allowed: a duration from 1m to 3650d"),
        ("{store: out, keep: forever}", "allowed: 500ms, 5s, 2m, 1h, 30d, or a number of seconds"),
        ("{store: out, blur: person}", 'blur: given "person"; allowed: a list'),
        ("{store: out, link: example.com}", "allowed: a URL without user, ? and #"),
        ("{store: out, s3: {}}", "evidence: s3 is given; allowed for a folder: null"),
        ("{store: s3://b-1, s3: {key: {env: KEY}}}", "allowed: both of key and secret, or none"),
        (
            "{store: s3://b-1, s3: {key: {env: KEY}, secret: {env: NONE}}}",
            "evidence.s3.secret: environment variable NONE is not set",
        ),
        (
            "{store: s3://b-1, s3: {key: {env: KEY}, secret: {env: EMPTY}}}",
            "evidence.s3.secret: is empty",
        ),
        ("{store: out, blurr: [person]}", "did you mean blur?"),
    ],
)
def test_what_cannot_be_is_refused(evidence: str, answer: str) -> None:
    (line,) = faults(evidence)
    assert line.startswith("/srv/c.yaml:3: evidence")
    assert answer in line


def test_credentials_in_a_store_are_not_shown() -> None:
    assert "word" not in "".join(faults("{store: 's3://key:word@bucket'}"))


def test_a_clip_needs_a_store() -> None:
    assert faults("null", rest=RULE) == [
        "/srv/c.yaml:4: rules[0].clip: rule seen: clips are stored as evidence; "
        "set evidence: {store: FOLDER}"
    ]


def test_a_clip_that_nobody_would_be_told_of_is_refused() -> None:
    (line,) = faults("{store: out}", rest=RULE.replace("notify: [ops], ", ""))
    assert line == (
        "/srv/c.yaml:4: rules[0].clip: rule seen: clips are of alerts that an endpoint is told of; "
        "name one in notify"
    )


def test_an_alert_on_health_has_no_clip() -> None:
    rule = "rules: [{id: sick, kind: health, conditions: [frozen], clip: {}}]\n"
    (line,) = faults("{store: out}", rest=rule)
    assert "rule sick: an alert on a camera's health shows no frame; allowed here: null" in line


@pytest.mark.parametrize(
    ("clip", "answer"),
    [
        ("{after: 0s}", "above 0s and at most 1m"),
        ("{before: 2m}", "from 0s to 1m"),
        ("{around: 5s}", "unknown key"),
        ("true", "rule seen: given true; allowed: {before: 5s, after: 5s}"),
        ("5s", 'rule seen: given "5s"; allowed: {before: 5s, after: 5s}'),
    ],
)
def test_a_clip_is_short(clip: str, answer: str) -> None:
    (line,) = faults("{store: out}", rest=RULE.replace("{before: 2s}", clip))
    assert "rules[0].clip" in line
    assert answer in line


@pytest.mark.parametrize("where", ["model", "camera"])
def test_who_is_to_be_blurred_must_be_looked_for(where: str) -> None:
    (line,) = faults("{store: out, blur: [person]}", **{where: ", labels: [car]"})
    assert 'labels: lacks "person", which evidence.blur blurs: what is not kept has no mask' in line


def test_a_label_to_be_blurred_that_the_model_does_not_have_is_refused_at_start() -> None:
    known = settings("{store: out, blur: [persn]}")
    with pytest.raises(ConfigError, match=r'evidence.blur\[0\]: unknown label "persn".*person'):
        check_labels(known, ["person", "car"])


def test_check_shows_the_section_as_it_will_be_used() -> None:
    text = check_text(settings("{store: out, keep: 48h, blur: [person]}"))
    assert "keep: 2d" in text
    assert "store: /srv/out" in text
