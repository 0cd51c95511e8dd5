"""`oriel:extension/metrics`: numbers about what the extension does.

Rules kept here:

- Names follow Prometheus's data model, without the colon that is reserved for recording rules and without the labels
  that its own histograms use, so that whatever is kept here can be exported there.
- Samples are summed up in the execution: what leaves it is a bounded number of series, however many samples there were.
- Past the allowance samples are dropped, counted and answered with a typed error; measuring never ends a request.
- Values of secrets that this execution has opened are replaced in labels, as in the log.
"""

import math
import re
from bisect import bisect_left
from typing import Literal, TypeAlias, TypedDict

from oriel.contract import HISTOGRAM_BOUNDS, Metric
from runner.execution import Execution, Series
from runner.host.log import safe

MAX_LABELS = 8
MAX_VALUE_BYTES = 128
LARGEST = 1e18
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_RESERVED_LABELS = frozenset({"le", "quantile"})

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
Failure: TypeAlias = tuple[Literal["err"], tuple[Literal["invalid", "limit-exceeded"], str]]
Result: TypeAlias = tuple[Literal["ok"], None] | Failure


class Label(TypedDict):
    name: str
    value: str


def count(execution: Execution, name: str, by: float, labels: list[Label]) -> Result:
    return _sample(execution, "counter", name, by, labels)


def gauge(execution: Execution, name: str, value: float, labels: list[Label]) -> Result:
    return _sample(execution, "gauge", name, value, labels)


def observe(execution: Execution, name: str, value: float, labels: list[Label]) -> Result:
    return _sample(execution, "histogram", name, value, labels)


def totals(execution: Execution) -> tuple[Metric, ...]:
    """What the execution has measured, in the order in which the series began."""
    return tuple(
        Metric(
            name=name,
            kind=series.kind,
            labels=dict(labels),
            value=series.value,
            count=series.count,
            buckets=tuple(series.buckets),
        )
        for (name, labels), series in execution.metrics.items()
    )


def _sample(execution: Execution, kind: Kind, name: str, value: float, labels: list[Label]) -> Result:
    budgets = execution.budgets
    if not budgets.charge_metric():
        return _dropped(f"An execution may measure {budgets.limits.max_metric_samples:,} times.")
    if problem := _problem(kind, name, value) or _label_problem([label["name"] for label in labels]):
        return ("err", ("invalid", problem))
    known = execution.metric_kinds.setdefault(name, kind)
    if known != kind:
        return ("err", ("invalid", f"name: {name} is a {known} in this execution."))
    key = (name, _labels(execution, labels))
    series = execution.metrics.get(key)
    if series is None:
        if len(execution.metrics) >= budgets.limits.max_metric_series:
            budgets.metrics_dropped += 1
            return _dropped(f"An execution may have {budgets.limits.max_metric_series:,} series.")
        series = execution.metrics[key] = Series(kind)
    _add(series, value)
    return ("ok", None)


def _add(series: Series, value: float) -> None:
    series.count += 1
    series.value = value if series.kind == "gauge" else series.value + value
    if series.kind == "histogram":
        if not series.buckets:
            series.buckets = [0] * (len(HISTOGRAM_BOUNDS) + 1)
        series.buckets[bisect_left(HISTOGRAM_BOUNDS, value)] += 1


def _problem(kind: Kind, name: str, value: float) -> str | None:
    if not _NAME.fullmatch(name):
        return "name: letters, digits and '_', not a digit first, up to 64 characters."
    if not math.isfinite(value) or abs(value) > LARGEST:
        return f"value: not a finite number up to {LARGEST:g}."
    if kind == "counter" and value < 0:
        return "value: a counter never goes down."
    return None


def _label_problem(names: list[str]) -> str | None:
    if len(names) > MAX_LABELS:
        return f"labels: {len(names):,} were given; at most {MAX_LABELS} are allowed."
    for at, name in enumerate(names):
        if not _NAME.fullmatch(name) or name.startswith("__") or name in _RESERVED_LABELS:
            return f"labels[{at}].name: letters, digits and '_', no digit or '__' first; not 'le' or 'quantile'."
        if name in names[:at]:
            return f"labels[{at}].name: {name} is there twice."
    return None


def _labels(execution: Execution, labels: list[Label]) -> tuple[tuple[str, str], ...]:
    redact = execution.secrets.redact
    return tuple(sorted((label["name"], safe(redact(label["value"]), MAX_VALUE_BYTES)) for label in labels))


def _dropped(message: str) -> Failure:
    return ("err", ("limit-exceeded", f"{message} The sample is dropped."))
