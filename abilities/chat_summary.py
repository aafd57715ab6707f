"""Lets WeCom summarise messages of which the app has opened the keys."""

from schemas.chat_summary import Request, Response
from wwspec_contracts import create_summary_task
from wwspec_contracts.tasks import halves
from wwspec_router import Context, ability


@ability
def chat_summary(request: Request, ctx: Context) -> Response:
    """Wait for the summary; messages that are too long for one are summarised in parts."""
    results = ctx.finish(create_summary_task.Request(msg_list=request.msg_list), split=halves)
    unread = [each.msgid for result in results for each in result.fail_list]
    return Response(summaries=[result.response_data for result in results], unread=unread)
