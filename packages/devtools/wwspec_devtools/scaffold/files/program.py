from wwspec_contracts import get_group_chat
from wwspec_router import Context, Contract, Output, ability


class SizeRequest(Contract):
    chatid: str


class SizeReply(Output):
    members: int = 0


@ability(timeout=5)
def group_size(request: SizeRequest, ctx: Context) -> SizeReply:
    """How many people are in a group."""
    chat = ctx.invoke(get_group_chat.Request(chatid=request.chatid))
    return SizeReply(members=len(chat.members))
