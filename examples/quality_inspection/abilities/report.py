"""Reports what was found. That takes long, so the app calls it asynchronously."""

from functools import partial

from abilities.settings import Settings
from schemas.inspection import Employee, Progress, Report, ReportRequest
from wwspec_contracts import search_msg
from wwspec_router import Context, ability


@ability
def report(request: ReportRequest, ctx: Context[None, Settings]) -> Report:
    """Search for each forbidden word, and tell the app how far it is. After a kill, what was searched stays."""
    words, found = ctx.settings.forbidden, 0
    for done, word in enumerate(words, start=1):
        found += ctx.step(f"search {done}", partial(count, word, ctx), type=int)
        ctx.notify(Progress(report_id=request.report_id, done=done, total=len(words)))
    messages, hits = (ctx.kept.get(key, dict[str, int]) or {} for key in ("messages", "hits"))
    employees = [Employee(userid=each, messages=messages[each], hits=hits.get(each, 0)) for each in sorted(messages)]
    return Report(found=found, employees=employees)


def count(word: str, ctx: Context[None, Settings]) -> int:
    """Return how many messages of the last 31 days have a word."""
    return sum(len(page.msg_list) for page in ctx.pages(search_msg.Request(query_word=word, limit=100)))
