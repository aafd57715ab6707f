"""What the status ability of a program answers, from `monitoring.status.Status`."""

from scripts.reference.shapes import fields_table
from scripts.reference.text import Say
from wwspec_router.monitoring.status import Status

__all__ = ["PAGE", "page"]

PAGE = "reference/figures.md"


def page(say: Say) -> str:
    """Return the page."""
    introduction = say(
        'The reply of an ability of `kind = "status"`: what a program has counted, all its worker processes together. '
        "The line of figures in the log has the same numbers; [metrics](metrics.md) are made of them, and "
        "[monitoring](../how-to/monitoring.md#alerts) says what to watch. Names that end in `_us` are "
        "microseconds, in `_s` seconds, in `_bytes` bytes.",
        '`kind = "status"` 的能力的返回：程序所有工作进程合计的统计数据。'
        "日志中的指标行内容相同；[Prometheus 指标](metrics.md)由它生成；"
        "应关注哪些数据见[监控程序](../how-to/monitoring.md#alerts)。名称以 `_us` 结尾的单位为微秒，以 `_s` "
        "结尾的为秒，以 `_bytes` 结尾的为字节。",
    )
    return say.head(say("Figures", "运行指标"), introduction) + "\n" + fields_table(Status, say, {}, request=False)
