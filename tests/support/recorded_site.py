"""What a site with GPUs, on a cluster, in trouble would tell: samples to be scraped."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.http_server import Quiet, answering

RECORDED = "recorded"
"""The namespace of these samples."""

SAMPLES = """\
maskstream_build_info{version="0.1.0",python="3.11.7",role="segment"} 1
maskstream_gpu_busy_ratio{gpu="0"} 0.7
maskstream_gpu_memory_used_bytes{gpu="0"} 3e9
maskstream_gpu_memory_bytes{gpu="0"} 8e9
maskstream_results_total{camera="hall"} 100
maskstream_gaps_total{camera="hall",reason="stale"} 5
maskstream_gaps_total{camera="hall",reason="quarantined"} 5
maskstream_gaps_total{camera="hall",reason="dead_letter"} 5
maskstream_frames_dropped_total{camera="hall",reason="overflow"} 5
maskstream_dead_letters_total{topic="frames",reason="out_of_memory"} 1
maskstream_dead_letters_total{topic="alerts",reason="undelivered"} 1
maskstream_camera_skew_seconds{camera="hall"} -0.2
maskstream_camera_condition{camera="hall",condition="lost"} 0
maskstream_camera_condition{camera="ill",condition="black"} 1
maskstream_camera_state{camera="ill",state="live"} 1
maskstream_camera_state{camera="new",state="connecting"} 1
maskstream_camera_state{camera="away",state="lost"} 1
maskstream_camera_state{camera="wrong",state="failed"} 1
maskstream_camera_state{camera="film",state="ended"} 1
maskstream_deliveries_total{endpoint="ops",outcome="given_up"} 1
maskstream_reloads_total{outcome="refused"} 1
maskstream_requests_total{route="/v1/cameras",status="200"} 3
maskstream_request_seconds_bucket{route="/v1/cameras",le="0.1"} 3
maskstream_request_seconds_bucket{route="/v1/cameras",le="+Inf"} 3
maskstream_shadow_compared_frames_total{camera="hall"} 1
maskstream_shadow_compared_instances_total{camera="hall",outcome="matched"} 1
maskstream_shadow_compared_instances_total{camera="hall",outcome="new"} 1
maskstream_shadow_compared_instances_total{camera="hall",outcome="lost"} 1
maskstream_shadow_compared_labels_total{label="person",outcome="new"} 1
maskstream_shadow_compared_scores_total{camera="hall",side="model"} 1
maskstream_shadow_compared_scores_total{camera="hall",side="shadow"} 1
maskstream_shadow_compared_iou_ratio_bucket{label="person",le="0.9"} 1
maskstream_shadow_compared_iou_ratio_bucket{label="person",le="+Inf"} 1
maskstream_shadow_unpaired_frames_total{camera="hall",side="model",reason="stale"} 1
kube_statefulset_replicas{statefulset="maskstream-segment"} 3
kube_statefulset_status_replicas_ready{statefulset="maskstream-segment"} 2
kube_pod_container_status_restarts_total{container="segment"} 1
kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="keda-hpa-segment"} 3
kube_horizontalpodautoscaler_spec_min_replicas{horizontalpodautoscaler="keda-hpa-segment"} 1
kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="keda-hpa-segment"} 8
ALERTS{alertname="MaskstreamCameraLost",alertstate="firing"} 1
"""


@contextmanager
def recorded_site() -> Iterator[str]:
    """Answers ``/metrics`` with the samples; yields where. Counters rise with each scrape."""
    scrapes = 0

    class Page(Quiet):
        def do_GET(self) -> None:
            nonlocal scrapes
            scrapes += 1
            body = "".join(_risen(line, scrapes) for line in SAMPLES.splitlines()).encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Page) as port:
        yield f"127.0.0.1:{port}"


def _risen(line: str, scrapes: int) -> str:
    series, _, value = line.rpartition(" ")
    rises = "_total{" in series or "_bucket{" in series
    return f"{series} {float(value) + (scrapes if rises else 0):g}\n"
