"""Watches chats for a word with a keyword rule. A repeated request makes no second rule: it runs once for each key."""

from schemas.watch_word import Request, Response
from wwspec_router import Context, ability
from wwspec_router.wecom import create_rule
from wwspec_router.wecom.rules import Keyword


@ability
def watch_word(request: Request, ctx: Context) -> Response:
    """Make the rule."""
    rule = ctx.invoke(create_rule.Request(name=request.word[:20], keyword=Keyword(word_list=[request.word])))
    return Response(rule_id=rule.rule_id)
