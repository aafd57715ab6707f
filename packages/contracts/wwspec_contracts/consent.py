"""Consent of customers to chat archiving [99826, 99852]."""

from enum import StrEnum

from wwspec_contracts.base import Contract


class AgreeStatus(StrEnum):
    """What a customer answered."""

    AGREE = "Agree"
    DISAGREE = "Disagree"


class ConsentGiven(Contract):
    """Who agreed, and in which chat."""

    external_userid: str
    """The customer."""
    userid: str = ""
    """The employee; one-to-one chats only."""
    chatid: str = ""
    """The group; group chats only."""
