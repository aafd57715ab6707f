"""The metrics of `wwspec metrics`, from what it would serve of a program that has been called."""

from collections.abc import Iterator
from typing import Any, cast

from prometheus_client.metrics_core import Metric

from scripts.reference.text import Say, table
from wwspec_client import ZoneClient
from wwspec_devtools.metrics.exporter import Exporter
from wwspec_router.monitoring.status import AbilityStatus, ErrcodeStatus, Status

__all__ = ["PAGE", "families", "page"]

PAGE = "reference/metrics.md"

_SUFFIX = {"counter": "_total"}


def page(say: Say) -> str:
    """Return the page."""
    introduction = say(
        "What `wwspec metrics` serves to Prometheus, outside of the zone. The first rows are about the polls, all "
        "others about the "
        "program. [Monitoring](../operation/monitoring.md) says how to set it up.",
        "`wwspec metrics` 在专区外运行，供 Prometheus 抓取以下指标。前几项是轮询本身的情况，其余是程序的情况。"
        "配置方法见[监控程序](../operation/monitoring.md)。",
    )
    heads = say("metric", "指标"), say("type", "类型"), say("labels", "标签"), say("meaning", "说明")
    rows = [
        (
            f"`{each.name}{_SUFFIX.get(each.type, '')}`",
            each.type,
            ", ".join(f"`{label}`" for label in _labels(each)),
            say.of_code(each.documentation),
        )
        for each in families()
    ]
    return say.head(say("Metrics", "Prometheus 指标"), introduction) + "\n" + table(heads, rows)


class _Program:
    """A program that answers every call with its figures."""

    def call(self, ability_id: str, request: object, **options: Any) -> Status:
        """Answer as the status ability does."""
        return Status(abilities=[AbilityStatus(ability_id="echo", calls=1)], errors=[ErrcodeStatus(errcode=1, count=1)])


def families() -> Iterator[Metric]:
    """Yield every metric family, as served after a poll."""
    exporter = Exporter(cast(ZoneClient, _Program()), "figures", 1.0)
    exporter.poll()
    yield from exporter.collect()


def _labels(family: Metric) -> list[str]:
    return sorted({label for sample in family.samples for label in sample.labels})
