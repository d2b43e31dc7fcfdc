"""*Shadow against model*: the panels of another model that is tried on the same cameras."""

from dashboards.common import rate
from dashboards.frame import SITE, SITE_CAMERAS
from dashboards.panels import Query, View

INSTANCES = "maskstream_shadow_compared_instances_total"
SCORES = "maskstream_shadow_compared_scores_total"
IOU = "maskstream_shadow_compared_iou_ratio"
COUNT = "maskstream_shadow_compared_frames_total"
FRAMES = rate(COUNT, SITE_CAMERAS)
DIFFERENT = f'{SITE_CAMERAS}, outcome=~"new|lost"'
SECTION = "MaskstreamInferenceSlow"


def _of(outcome: str, *by: str) -> str:
    return rate(INSTANCES, f'{SITE_CAMERAS}, outcome="{outcome}"', *by)


def _iou(part: float, name: str) -> Query:
    """The IoU that so many of the masks are below; p1 is of the worst."""
    counted = f"sum by (le) (rate({IOU}_bucket{{{SITE}}}[$__rate_interval]))"
    return Query(f"histogram_quantile({part}, {counted})", name)


def _mean_score(side: str) -> Query:
    scores = rate(SCORES, f'{SITE_CAMERAS}, side="{side}"')
    return Query(f"{scores} / ({_of('matched')} > 0)", side)


AGREEMENT = View(
    "Shadow: instances that both find",
    "Of all instances of compared frames, the share that shadow and model both find, with masks "
    "whose IoU is above 0.5. Where it falls, look at labels and cameras here, and at the pictures.",
    SECTION,
    "percentunit",
    [Query(f"{_of('matched')} / ({rate(INSTANCES, SITE_CAMERAS)} > 0)", "of all")],
)

CHANGED = View(
    "Shadow: new and lost instances a frame",
    "New: only the shadow finds them. Lost: only the model does. Which of the two is right, the "
    "pictures say: look at some of both before it takes the model's place.",
    SECTION,
    "none",
    [Query(f"{_of(each)} / ({FRAMES} > 0)", each) for each in ("new", "lost")],
)

MASKS = View(
    "Shadow: IoU of masks that both find",
    "Half of the pairs agree less than the median, one in ten less than p10, one in a hundred less "
    "than p1. Low with few new and lost: the two draw the same things otherwise.",
    SECTION,
    "none",
    [_iou(0.5, "median"), _iou(0.1, "p10"), _iou(0.01, "p1")],
)

MEAN_SCORES = View(
    "Shadow: mean score of what both find",
    "Where the shadow's is lower, a `confidence` that suits the model is too high for it, and it "
    "loses instances to that alone.",
    SECTION,
    "none",
    [_mean_score("model"), _mean_score("shadow")],
)

LABELS = View(
    "Shadow: new and lost a second, by label",
    "A label that is only lost, or only new, is one that the shadow does not know, or calls "
    "otherwise.",
    SECTION,
    "cps",
    [
        Query(
            rate(
                "maskstream_shadow_compared_labels_total",
                f'{SITE}, outcome=~"new|lost"',
                "label",
                "outcome",
            ),
            "{{label}} {{outcome}}",
        )
    ],
)

CAMERAS = View(
    "Shadow: the ten cameras that differ most",
    "New and lost instances a frame. A camera far above others shows what one of the two was not "
    "made for: look at its pictures first.",
    SECTION,
    "none",
    [
        Query(
            f"topk(10, {rate(INSTANCES, DIFFERENT, 'camera')}"
            f" / ({rate(COUNT, SITE_CAMERAS, 'camera')} > 0))",
            "{{camera}}",
        )
    ],
)

COMPARED = View(
    "Shadow: frames compared a second",
    "Frames of which both have a result. 0 while cameras are live: the shadow is gone, or skips "
    "all of them.",
    SECTION,
    "suffix: frames/s",
    [Query(FRAMES, "compared")],
    width=12,
)

ALONE = View(
    "Shadow: frames without a partner, by reason",
    "By who has a result, and why the other has none. `model, stale`: the shadow is too slow, so "
    "give it more processes. `late`, `missing`: it is down, or began anew.",
    SECTION,
    "suffix: frames/s",
    [
        Query(
            rate("maskstream_shadow_unpaired_frames_total", SITE_CAMERAS, "side", "reason"),
            "{{side}}, {{reason}}",
        )
    ],
    width=12,
)

VIEWS = (AGREEMENT, CHANGED, MASKS, MEAN_SCORES, LABELS, CAMERAS, COMPARED, ALONE)
