"""Tells how a group is made up, without the list of its members."""

from collections import Counter

from wwspec_router.wecom import get_group_chat
from wwspec_router.wecom.messages import PartyType
from wwspec_router import AsyncContext, Contract, Output, ability


class OverviewRequest(Contract):
    """Which group."""

    chatid: str
    """From a message of sync_msg."""


class OverviewReply(Output):
    """Who is in the group, in numbers."""

    creator: str = ""
    employees: int = 0
    customers: int = 0
    robots: int = 0


@ability
async def overview(request: OverviewRequest, ctx: AsyncContext) -> OverviewReply:
    """Count the members of a group by kind."""
    group = await ctx.invoke(get_group_chat.Request(chatid=request.chatid))
    kinds = Counter(member.type for member in group.members)
    return OverviewReply(
        creator=group.creator,
        employees=kinds[PartyType.EMPLOYEE],
        customers=kinds[PartyType.CUSTOMER],
        robots=kinds[PartyType.ROBOT],
    )
