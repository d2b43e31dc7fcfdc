"""What all dashboards share: variables, links to each other, how much time they show."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from dashboards.panels import PROMETHEUS

RUNBOOK = "https://maskstream.example/docs/runbook.md"
"""Stands for where you publish docs/runbook.md; `.example` leads nowhere by design (RFC 2606)."""

TAG = "maskstream"
ALL = model.VariableOption(selected=True, text="All", value="$__all")


def frame(uid: str, title: str, means: str) -> build.Dashboard:
    """A dashboard without panels."""
    board = (
        build.Dashboard(f"maskstream / {title}")
        .uid(f"maskstream-{uid}")
        .description(means)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(_others())
    )
    for variable in _variables():
        board.with_variable(variable)
    return board


class _Hidden(build.ConstantVariable):
    """A constant that takes no room at the top."""

    def build(self) -> model.VariableModel:
        """The variable."""
        built = super().build()
        built.hide = model.VariableHide.HIDE_VARIABLE
        return built


def _others() -> build.DashboardLink:
    return (
        build.DashboardLink("maskstream")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _variables() -> list[build.DatasourceVariable | build.QueryVariable | build.ConstantVariable]:
    of_namespace = 'namespace=~"$namespace"'
    return [
        build.DatasourceVariable("datasource").label("Prometheus").type("prometheus"),
        build.DatasourceVariable("traces").label("Traces").type("tempo"),
        _query("namespace", "Namespace", "maskstream_build_info"),
        _query("pod", "Pod", f"maskstream_build_info{{{of_namespace}}}"),
        _query("camera", "Camera", f"maskstream_camera_state{{{of_namespace}}}"),
        _Hidden("runbook").value(RUNBOOK),
    ]


def _query(label: str, name: str, metric: str) -> build.QueryVariable:
    """The values of a label. Where nothing has the label, `All` still takes everything."""
    query: Mapping[str, object] = {"query": f"label_values({metric}, {label})", "refId": label}
    return (
        build.QueryVariable(label)
        .label(name)
        .datasource(PROMETHEUS)
        .query(dict(query))
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(ALL)
    )


PODS = 'namespace=~"$namespace", pod=~"$pod"'
"""The selector of what a process tells."""
CAMERAS = f'{PODS}, camera=~"$camera"'
"""The selector of what a process tells of a camera."""
SITE = 'namespace=~"$namespace"'
"""The selector of what was added up over pods."""
SITE_CAMERAS = f'{SITE}, camera=~"$camera"'
