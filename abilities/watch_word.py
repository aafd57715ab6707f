"""Watches chats for a word with a keyword rule. A repeat finds the rule of the first call, on another machine too."""

from schemas.watch_word import Request, Response
from wwspec_contracts import create_rule, get_rule_list
from wwspec_contracts.rules import Keyword
from wwspec_router import Context, ability


@ability
def watch_word(request: Request, ctx: Context) -> Response:
    """Make the rule, unless there is one of this name already."""
    name = request.word[:20]
    for page in ctx.pages(get_rule_list.Request()):
        for rule in page.rule_list:
            if rule.name == name:
                return Response(rule_id=rule.rule_id)
    made = ctx.invoke(create_rule.Request(name=name, keyword=Keyword(word_list=[request.word])))
    return Response(rule_id=made.rule_id)
