"""Tells who is in a group, in numbers, without the list of its members."""

from collections import Counter

from schemas.group_overview import Request, Response
from wwspec_contracts import get_group_chat
from wwspec_contracts.messages import PartyType
from wwspec_router import AsyncContext, ability


@ability
async def overview(request: Request, ctx: AsyncContext) -> Response:
    """Count the members of a group by kind."""
    group = await ctx.invoke(get_group_chat.Request(chatid=request.chatid))
    kinds = Counter(member.type for member in group.members)
    return Response(
        creator=group.creator,
        employees=kinds[PartyType.EMPLOYEE],
        customers=kinds[PartyType.CUSTOMER],
        robots=kinds[PartyType.ROBOT],
    )
