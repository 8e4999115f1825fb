"""Every sentence that Parley itself says to people: plain, short, and what to do next."""

from __future__ import annotations

from bot.domain.errors import ModelFault, PlatformFault
from bot.domain.messages import State
from bot.domain.spending import DenialReason, Limit

_SETUP = "Something in my setup is wrong, so I cannot answer. My owner has to mend it; trying again will not help."
_LATER = "Please try again in a minute."

FAULTS = {
    ModelFault.UNSET: "My owner has not given me a model yet, so I cannot answer here.",
    ModelFault.KEY: _SETUP,
    ModelFault.MODEL: _SETUP,
    ModelFault.REQUEST: _SETUP,
    ModelFault.QUOTA: "My allowance with the model is used up. My owner has to look into it.",
    ModelFault.RATE: f"The model has too much to do right now. {_LATER}",
    ModelFault.OVERLOAD: f"The model is overloaded right now. {_LATER}",
    ModelFault.TIMEOUT: "The model took too long. Please try again.",
    ModelFault.NETWORK: f"I could not reach the model. {_LATER}",
    ModelFault.CONTEXT: "This is too long for the model. Ask something shorter, or use /reset to start afresh.",
    ModelFault.REFUSED: "The model declined to answer this. Try putting it differently.",
    ModelFault.CUT: "The connection to the model broke. Please try again.",
    ModelFault.EMPTY: "The model gave no answer. Please ask again, perhaps in other words.",
    ModelFault.LENGTH: "The model used up the longest answer that it may give before its first word, by thinking. Ask "
    "something simpler; my owner can raise bot.max_tokens.",
}

ALERTS = {
    "key": "The key of {model} is refused, so I cannot answer. Set a valid one and start me again.",
    "quota": "The allowance with {model} is used up, so I cannot answer. Raise its limit or add to its balance.",
    "model": "There is no model {model} for me. Correct bot.model and start me again.",
    "unset": "I have no model yet, so I cannot answer. Set OPENAI_API_KEY or ANTHROPIC_API_KEY and start me again.",
    "length": "{model} used up bot.max_tokens on thinking and said nothing. Raise bot.max_tokens.",
    "storage": "My memory cannot be read or written; see whether its disk is full. The log has the reason.",
    "fallback": "{model} does not answer; {other} answers in its place.",
    "forbidden": "I was asked something where I cannot answer, in {where}: {lacking}.",
    "down": "I am not connected to {platform}: {reason} I go on trying.",
}
"""What the admins are told, by the kind of trouble."""

ENDINGS = {
    State.DONE: "",
    State.STOPPED: "Stopped.",
    State.REFUSED: "The model declined to go on. Try putting it differently.",
    State.CUT: "Cut off at the length limit. Say “go on” for more.",
    State.INTERRUPTED: f"Interrupted: I am being restarted. {_LATER}",
}

THOUGHT_ONLY = (
    "The model reached its length limit before the first word of an answer, most likely by thinking. Ask for something "
    "smaller; my owner can raise the limit."
)
"""What is said where an answer is cut off without a word."""

NO_ENTRY = {
    DenialReason.BLOCKED: "I cannot answer you here. If you think that is a mistake, please ask my owner.",
    DenialReason.PAUSED: "I am taking a break and answer nobody at the moment. Please ask again later.",
    DenialReason.DIRECT: "I do not answer direct messages from here. Please ask me in a channel.",
    DenialReason.EXTERNAL: "In shared channels I answer the people of my own workspace only.",
    DenialReason.PERSON: "I only answer the people on my list. My owner can add you.",
    DenialReason.PLACE: "I do not answer in this channel. My owner can add it, or name one where I do.",
    DenialReason.BOT: "",
    DenialReason.UNWRITABLE: "I cannot answer where you asked me: {lacking}. An admin of that place can change it.",
}
"""What a person is told who is turned away, once a day at most."""

LIMITS = {
    Limit.MINUTE: "That was a lot in one minute. You can ask me again {when}.",
    Limit.DAY: "You have asked me all that one person may ask in a day. You can ask me again {when}.",
    Limit.PERSON: "You have used what one person may use of me in a day. You can ask me again {when}.",
    Limit.PLACE: "This conversation has used what it may use of me in a day. You can ask me here again {when}.",
    Limit.BOT: "I have used up what I may spend in a day. You can ask me again {when}.",
}
SPENT = {
    0.8: "I have spent over 80 % of what I may spend today: ${dollars:,.2f}, and {tokens:,} tokens without a known "
    "price. See `parley usage`; limits.dollars and limits.tokens set it.",
    1.0: "I have spent what I may spend today: ${dollars:,.2f}, and {tokens:,} tokens without a known price. Until "
    "midnight I answer admins only. See `parley usage`; limits.dollars and limits.tokens set it.",
}
"""What the admins are told, by the part of the bot's own limit that is spent."""

STORAGE = "I cannot reach my memory at the moment, so I cannot answer. My owner has to look into it."
UNREMEMBERED = "I cannot reach my memory at the moment: I will not remember this answer. My owner has to look into it."
WITHHELD = {
    PlatformFault.MODERATED: "The moderation here did not let {} through.",
    PlatformFault.REJECTED: "I could not post {} here. Please ask again, perhaps in other words.",
    PlatformFault.FORBIDDEN: "I may not write here any more, so {} is missing.",
}
"""What is said of an answer that a platform does not take."""
REFUSED_POST = "the platform refuses my messages there ({code})"
REPLACED = "I have replaced this message; my answer stands in another one."
BROKEN_OFF = "I was interrupted here. Try again, or ask anew."
FULL = "Too many questions wait here already, so I cannot take this one. Please ask again later."
BROKEN = f"Something went wrong inside me. My owner can find it in the log. {_LATER}"
FILE = "answer.md"
NO_FILES = "I cannot read files here."
ADMINS_ONLY = "Only an admin can change that."
MODEL = "**{model}** answers here."
MODELS = "An admin can choose another with the command `model`: {names}; `default` takes the choice back."
CHOSEN = "From now on **{model}** answers in this channel."
UNKNOWN_MODEL = "I do not know the model “{name}”. Choose among: {names}."
PERSONA = "This is what I am told about myself here:\n> {persona}"
TOLD = "From now on I am told this about myself in this channel:\n> {persona}"
NOT_HERE = "Say that on Discord or Slack: it is for people there."
WHOM = "Say whom: mention the person, or give their id; in Slack it is in their profile, under Copy member ID."
BLOCKED = "From now on I do not answer {person} on {platform}, unless they run me. `unblock` lets them in again."
UNBLOCKED = "From now on I answer {person} on {platform} again."
PAUSED = "From now on I answer nobody on {platform}. `resume` ends that."
RESUMED = "From now on I answer on {platform} again."
AS_IT_WAS = "That is how it was before; nothing changed."
LISTENS_ALWAYS = "Here I answer everything that you write."
LISTENS = {
    True: "In this channel I answer everything that is said to nobody else.",
    False: "In this channel I answer when I am mentioned.",
}
LISTEN = {
    True: "From now on I answer everything in this channel that is said to nobody else.",
    False: "From now on I answer in this channel when I am mentioned.",
}
LISTEN_HELP = "{state} Admins change that with the command `listen on` or `listen off`."
ON_OR_OFF = "Say `on` or `off` with it, or nothing to hear how it is."
TOO_LONG = "That is too long: {most} characters at most."
RESET = "Done: I have forgotten this conversation."
RESET_BY = "{name} had me forget this conversation."
RESET_OWN = "Done: I have forgotten your conversation with me here."
NOTHING_TO_RESET = "There was nothing to forget here."
FORGOT = (
    "Done: I have deleted what you said to me, everywhere, with my answers: {count}. What you see here stays until "
    "somebody deletes it."
)
NOTHING_OF_YOURS = "I have nothing that you said."
EXPORTED = "This is all that I have of what you said to me, with my answers."
EXPORT_ALONE = "Others read here. Use the bot's own command for it, or ask me in a direct message."
EXPORT_LATER = "You had it several times just now. You can have it again {when}."
NO_EXPORT = "I could not give you the file. Please try again in a minute; if it stays so, ask my owner for it."
STOPPING = "Stopped."
NOTHING_TO_STOP = "I am not writing anything here."
THINKING = "Thinking…"
FORGOTTEN = "I have forgotten what that was about. Please ask again."
NOT_YOURS = "Only the person who asked can do that."
OLDER = "Only the last answer here can be tried again. Please ask again."
STILL_WRITING = "I am still writing that answer."
CLOSED = "I am still starting. Please try again in a moment."


def failure(fault: ModelFault, begun: bool) -> str:
    """What is said when the model fails; `begun` when part of the answer is there."""
    return f"The answer broke off here. {FAULTS[fault]}" if begun else FAULTS[fault]


def withheld(fault: PlatformFault, begun: bool) -> str:
    """What is said where the platform does not take an answer; `begun` when part of it is there."""
    return WITHHELD[fault].format("the rest of my answer" if begun else "my answer")


def introduction(reader: str) -> str:
    """Three lines: what it does, what it remembers and how to make it forget, and whose model reads it."""
    return (
        "Mention me in a channel, or write to me in a DM, and I answer; my answer grows as it is written.\n"
        "I remember what is said to me in each channel, thread and DM. `/reset` makes me forget it, `/stop` stops me.\n"
        f"What you write to me is read by {reader}, which writes the answers."
    )
