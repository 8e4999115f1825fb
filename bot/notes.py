"""Every sentence that Parley itself says to people: plain, short, and what to do next."""

from __future__ import annotations

from bot.errors import ModelFault
from bot.messages import State

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
}

ALERTS = {
    "key": "The key of {model} is refused, so I cannot answer. Set a valid one and start me again.",
    "quota": "The allowance with {model} is used up, so I cannot answer. Raise its limit or add to its balance.",
    "model": "There is no model {model} for me. Correct bot.model and start me again.",
    "unset": "I have no model yet, so I cannot answer. Set OPENAI_API_KEY or ANTHROPIC_API_KEY and start me again.",
    "storage": "My memory cannot be read or written; see whether its disk is full. The log has the reason.",
    "fallback": "{model} does not answer; {other} answers in its place.",
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

STORAGE = "I cannot reach my memory at the moment, so I cannot answer. My owner has to look into it."
UNREMEMBERED = "I cannot reach my memory at the moment: I will not remember this answer. My owner has to look into it."
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
TOO_LONG = "That is too long: {most} characters at most."
RESET = "Done: I have forgotten this conversation."
NOTHING_TO_RESET = "There was nothing to forget here."
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


def introduction(reader: str) -> str:
    """Three lines: what it does, what it remembers and how to make it forget, and whose model reads it."""
    return (
        "Mention me in a channel, or write to me in a DM, and I answer; my answer grows as it is written.\n"
        "I remember what is said to me in each channel, thread and DM. `/reset` makes me forget it, `/stop` stops me.\n"
        f"What you write to me is read by {reader}, which writes the answers."
    )
