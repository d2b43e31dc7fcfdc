"""The kinds of panels, each with what every panel must have: a question, a unit, what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TypeVar
from urllib.parse import quote

from grafana_foundation_sdk.builders import common, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus as promql
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.look import PLAIN, QUANTILES, Levels, words

_Panel = TypeVar("_Panel", stat.Panel, timeseries.Panel, statetimeline.Panel, table.Panel)
PROMETHEUS = model.DataSourceRef(type_val="prometheus", uid="${datasource}")

_TRACES = (
    '{"traces":{"datasource":"${traces}","queries":[{"refId":"A","queryType":"traceql",'
    '"query":"{ duration > 500ms }"}],"range":{"from":"${__from}","to":"${__to}"}}}'
)
TRACES_URL = f"/explore?schemaVersion=1&panes={quote(_TRACES, safe='${}_:,')}"
"""Grafana's Explore, with the traces of the same time."""


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and the name of its lines: ``{{camera}}`` is the label of that name."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What every panel has.

    ``means`` says in a sentence or two what is seen and what to do when it is red; ``section`` is
    the alarm whose section of the runbook says more. ``unit`` is Grafana's name of it.
    """

    title: str
    means: str
    section: str
    unit: str
    queries: Sequence[Query]
    levels: Levels = PLAIN
    width: int = 8
    height: int = 8

    @property
    def description(self) -> str:
        """Markdown with a link to the runbook."""
        return f"{self.means} [Runbook](${{runbook}}#{self.section.lower()})"


def number(
    view: View,
    none: str = "no data",
    said: Mapping[int, tuple[str, str]] | None = None,
    *,
    named: bool = False,
) -> stat.Panel:
    """One number, as large as it goes, on the colour of its level. ``none`` stands where is none.

    ``said`` gives numbers words; with ``named`` the name of the series stands with it.
    """
    panel = (
        _begun(stat.Panel(), view)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .color_mode(options.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(options.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(none)
    )
    panel.text_mode(
        options.BigValueTextMode.VALUE_AND_NAME if named else options.BigValueTextMode.VALUE
    )
    if said is not None:
        panel.mappings(words(said))
    for target in _queries(view):
        panel.with_target(target.instant())
    return panel


def lines(view: View, *, stacked: bool = False, traced: bool = False) -> timeseries.Panel:
    """Lines over time, with a table of their last and highest values.

    With ``traced`` points lead to the traces of slow frames (exemplars).
    """
    panel = (
        _begun(timeseries.Panel(), view)
        .min(0)
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(_threshold_style(view.levels)))
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .line_width(2)
        .fill_opacity(30 if stacked else 0)
        .show_points(options.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(_tooltip())
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    for query in view.queries:
        if (color := QUANTILES.get(query.legend)) is not None:
            panel.override_by_name(query.legend, [_fixed(color)])
    for target in _queries(view):
        panel.with_target(target.range().exemplar(traced))
    if traced:
        panel.data_links([_link("Traces of this time", TRACES_URL)])
    return panel


def timeline(view: View, said: Mapping[int, tuple[str, str]]) -> statetimeline.Panel:
    """A row for each series, in the colours and words of its states."""
    panel = (
        _begun(statetimeline.Panel(), view)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .mappings(words(said))
        .merge_values(True)
        .fill_opacity(70)
        .line_width(0)
        .show_value(options.VisibilityMode.AUTO)
        .row_height(0.9)
        .per_page(50)
        .legend(
            common.VizLegendOptions().show_legend(True).placement(options.LegendPlacement.BOTTOM)
        )
    )
    for target in _queries(view):
        panel.with_target(target.range())
    return panel


def rows(
    view: View, columns: Mapping[str, str], said: Mapping[int, tuple[str, str]] | None = None
) -> table.Panel:
    """A table of what holds now. ``columns`` has the name of each label, and of ``Value``."""
    panel = (
        _begun(table.Panel(), view)
        .filterable(True)
        .with_transformation(_columns(columns))
        .override_by_name(columns["Value"], [_colored()])
    )
    if said is not None:
        panel.mappings(words(said))
    for target in _queries(view):
        panel.with_target(target.instant().format(PromQueryFormat.TABLE))
    return panel


def _begun(panel: _Panel, view: View) -> _Panel:
    """What all kinds of panels have."""
    return (
        panel.title(view.title)
        .description(view.description)
        .datasource(PROMETHEUS)
        .unit(view.unit)
        .span(view.width)
        .height(view.height)
        .thresholds(view.levels.built())
    )


def _queries(view: View) -> Iterator[promql.Dataquery]:
    """Named A, B, C, …: Grafana keeps answers apart by that."""
    for number, query in enumerate(view.queries):
        built = (
            promql.Dataquery()
            .ref_id(ascii_uppercase[number])
            .expr(query.expr)
            .legend_format(query.legend)
        )
        yield built.datasource(PROMETHEUS)


def _threshold_style(levels: Levels) -> options.GraphThresholdsStyleMode:
    marked = levels.warning is not None or levels.bad is not None
    return (
        options.GraphThresholdsStyleMode.DASHED if marked else options.GraphThresholdsStyleMode.OFF
    )


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(options.LegendDisplayMode.TABLE)
        .placement(options.LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
    )


def _tooltip() -> common.VizTooltipOptions:
    return (
        common.VizTooltipOptions()
        .mode(options.TooltipDisplayMode.MULTI)
        .sort(options.SortOrder.DESCENDING)
    )


def _link(title: str, url: str) -> build.DashboardLink:
    return build.DashboardLink(title).url(url).target_blank(True)


def _fixed(color: str) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})


def _colored() -> model.DynamicConfigValue:
    cell = {"type": "color-background", "mode": "basic"}
    return model.DynamicConfigValue(id_val="custom.cellOptions", value=cell)


def _columns(columns: Mapping[str, str]) -> model.DataTransformerConfig:
    """Only these columns, in this order, under these names."""
    order = {name: index for index, name in enumerate(columns)}
    return model.DataTransformerConfig(
        id_val="organize",
        options={
            "includeByName": dict.fromkeys(columns, True),
            "indexByName": order,
            "renameByName": dict(columns),
        },
    )
