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
        "[monitoring](../operation/monitoring.md) says what to watch. Names that end in `_us` are "
        "microseconds, in `_s` seconds, in `_bytes` bytes.",
        '`kind = "status"` 的能力所返回的统计数据，为程序所有工作进程的合计。'
        "日志里的指标行也是这些数字，[Prometheus 指标](metrics.md)由它们生成；"
        "应该关注哪些，见[监控程序](../operation/monitoring.md)。名称以 `_us` 结尾的单位是微秒，`_s` "
        "是秒，`_bytes` 是字节。",
    )
    return say.head(say("Figures", "运行指标"), introduction) + "\n" + fields_table(Status, say, {}, request=False)
