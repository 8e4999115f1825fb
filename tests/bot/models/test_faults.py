"""What providers say when they refuse becomes the right fault, with its mend and without secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import SecretStr

from bot.domain.errors import ModelFault
from bot.models.protocols.error_mapper import LONGEST, Faults

KEY = "hunter2-hunter2"
FAULTS = Faults("openai/gpt-5", "openai", "OPENAI_API_KEY", "https://api.openai.com/v1", SecretStr(KEY))


def body(message: str, type: str = "invalid_request_error", code: str | int | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


RATE_LIMITED = (
    "Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000. You can increase your "
    "rate limit by adding a payment method to your account at https://platform.openai.com/account/billing."
)


@pytest.mark.parametrize(
    ("status", "said", "fault"),
    [
        (401, body("Incorrect API key provided", code="invalid_api_key"), ModelFault.KEY),
        (403, body("Country, region, or territory not supported", "request_forbidden"), ModelFault.KEY),
        (403, body("Project `p` does not have access to it", code="model_not_found"), ModelFault.MODEL),
        (404, body("The model `x` does not exist", code="model_not_found"), ModelFault.MODEL),
        (404, {"error": 'model "x" not found, try pulling it first'}, ModelFault.MODEL),
        (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, ModelFault.MODEL),
        (400, body("x is not a valid model ID", code=400), ModelFault.MODEL),
        (404, {"detail": "Not Found"}, ModelFault.MODEL),
        (429, body("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), ModelFault.QUOTA),
        (429, body("Billing hard limit", code="billing_hard_limit_reached"), ModelFault.QUOTA),
        (402, body("Insufficient credits", code=402), ModelFault.QUOTA),
        (429, body(RATE_LIMITED, "tokens", "rate_limit_exceeded"), ModelFault.RATE),
        (429, body("Request too large for gpt-5 on tokens per min: Limit 9, Requested 99"), ModelFault.CONTEXT),
        (400, body("This model's maximum context length is 9", code="context_length_exceeded"), ModelFault.CONTEXT),
        (400, body("the request exceeds it", "exceed_context_size_error", 400), ModelFault.CONTEXT),
        (500, body("context window of 4096 tokens exceeded", "server_error"), ModelFault.CONTEXT),
        (413, "<html>Payload Too Large</html>", ModelFault.CONTEXT),
        (400, body("The prompt triggered the policy", code="content_filter"), ModelFault.REFUSED),
        (400, body("'temperature' does not support 0.2 with this model"), ModelFault.REQUEST),
        (422, {"detail": [{"loc": ["body"], "msg": "Extra inputs are not permitted"}]}, ModelFault.REQUEST),
        (408, None, ModelFault.TIMEOUT),
        (500, "", ModelFault.OVERLOAD),
        (503, body("Loading model", "unavailable_error", 503), ModelFault.OVERLOAD),
        (503, body("The model does not exist yet"), ModelFault.OVERLOAD),
        (502, ["?"], ModelFault.OVERLOAD),
        (None, body("Overloaded", "overloaded_error"), ModelFault.OVERLOAD),
        (None, body("The server had an error", "server_error"), ModelFault.OVERLOAD),
        (None, body("Slow down", "rate_limit_error"), ModelFault.RATE),
        (None, body("No", "authentication_error"), ModelFault.KEY),
        (None, body("model: x", "not_found_error"), ModelFault.MODEL),
        (None, body("Too slow", "timeout_error"), ModelFault.TIMEOUT),
        (None, body("Bad", "invalid_request_error"), ModelFault.REQUEST),
        (None, body("Provider gone", "", 502), ModelFault.OVERLOAD),
        (None, {"error": "something else"}, ModelFault.CUT),
        (400, body("The prompt is 5 tokens: reduce the length of the messages or completion."), ModelFault.CONTEXT),
        (400, body("Invalid request: Your request exceeded model token limit: 8192"), ModelFault.CONTEXT),
        (400, {"code": "invalid", "error": "This model's maximum prompt length is 9 tokens."}, ModelFault.CONTEXT),
        (
            400,
            [{"error": {"code": 400, "message": "The input token count (12) exceeds the maximum"}}],
            ModelFault.CONTEXT,
        ),
        (400, body("input length and `max_tokens` exceed context limit: 9 + 2 > 10"), ModelFault.CONTEXT),
        (400, {"message": "too many tokens: the prompt has 5000"}, ModelFault.CONTEXT),
        (413, body("Request too large for model `x`", "tokens", "rate_limit_exceeded"), ModelFault.CONTEXT),
        (429, {"message": "Too many tokens, please wait before trying again."}, ModelFault.RATE),
        (400, {"message": "Too many tokens per minute"}, ModelFault.REQUEST),
        (400, body("max_tokens is too large: 99. This model supports at most 9 tokens"), ModelFault.REQUEST),
        (403, {"error": {"message": "Input was flagged", "metadata": {"reasons": ["violence"]}}}, ModelFault.REFUSED),
        (403, {"error": {"message": "No", "metadata": {"flagged_input": "x"}}}, ModelFault.REFUSED),
        (403, body("Your account was flagged for abuse"), ModelFault.KEY),
        (400, {"error": {"code": "data_inspection_failed"}}, ModelFault.REFUSED),
        (400, [{"error": {"message": "API key not valid. Please pass one.", "status": "X"}}], ModelFault.KEY),
        (400, {"code": "x", "error": "Incorrect API key provided: sk***ef."}, ModelFault.KEY),
        (502, body("Invalid API key of the upstream"), ModelFault.OVERLOAD),
        (429, body("You exceeded your current quota. Please retry in 2.5s."), ModelFault.RATE),
        (429, body("You exceeded your current quota: GenerateRequestsPerMinutePerModel"), ModelFault.RATE),
        (429, body("You exceeded your current quota: RequestsPerDay. Retry in 9s."), ModelFault.QUOTA),
        (402, body("This request requires more credits, or fewer max_tokens."), ModelFault.QUOTA),
        (404, {"error": "Unexpected endpoint or method. (POST /x)"}, ModelFault.REQUEST),
        (None, {"error": "Unexpected endpoint or method. (POST /x)"}, ModelFault.REQUEST),
        (None, {"object": "error", "message": "worker gone, out of capacity", "code": 50002}, ModelFault.OVERLOAD),
        (400, {"object": "error", "message": {"detail": [{"loc": ["body", 5], "msg": "no"}]}}, ModelFault.REQUEST),
        (400, {"error": {"message": None, "details": {"x": 1}}}, ModelFault.REQUEST),
    ],
)
def test_what_a_provider_says_is_the_fault(status: int | None, said: Any, fault: ModelFault) -> None:
    """Words beat the status, which providers use as they like; without either the answer just broke off."""
    assert FAULTS.refused(status, said).fault is fault


def test_the_operator_reads_who_what_and_the_mend() -> None:
    """One sentence for each: the model, the provider's own words, what to set."""
    error = FAULTS.refused(401, body("No such key."))
    assert str(error) == (
        "openai/gpt-5: status 401: No such key. Set OPENAI_API_KEY to a key that is valid and may use this model."
    )
    assert str(FAULTS.refused(400, {})).startswith("openai/gpt-5: status 400: no reason given. ")


def test_a_server_of_this_machine_is_given_a_key_by_its_address() -> None:
    """A local model has no settings of its own: it becomes a server with a base URL."""
    local = Faults("local/x", "local", "OPENAI_API_KEY", "http://127.0.0.1:1234/v1", SecretStr(""), custom=True)
    assert "set OPENAI_API_KEY to it, and OPENAI_BASE_URL to http://127.0.0.1:1234/v1" in str(local.refused(401, ""))


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "sk-proj-abcdefgh",
        "sk-ant-api03-x_y-z",
        "sk-pr*********cdef",
        "gsk_abcdefgh",
        "AIzaSyA1234567890abcdefghijklmnopqrstuvw",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_nothing_that_looks_like_a_key_is_passed_on(secret: str) -> None:
    """Providers repeat a wrong key, or most of it, in what they answer."""
    for message in (f"Incorrect API key provided: {secret}.", f"bad token ({secret})", f'"{secret}" is no key'):
        told = str(FAULTS.refused(401, body(message)))
        assert secret.rstrip(".") not in told
        assert "[masked]" in told
    assert secret not in str(FAULTS.unreachable(f"http://me:{secret}@proxy:1 refused"))


def test_the_password_of_a_proxy_is_not_passed_on() -> None:
    """It is part of the address, and errors name addresses."""
    assert "swordfish" not in str(FAULTS.unreachable("Cannot connect to http://me:swordfish@proxy:3128"))


def test_a_long_name_of_a_model_is_no_secret() -> None:
    """The operator has to read it."""
    name = "Some-Model-3-2-1B-Instruct-Q4-K-M-imatrix"
    faults = Faults(f"openai/{name}", "openai", "OPENAI_API_KEY", "http://x/v1", SecretStr(""))
    assert f"The model {name} does not exist" in str(faults.refused(404, body(f"The model {name} does not exist")))


def test_a_message_is_one_short_line() -> None:
    """Some answer with a page."""
    told = str(FAULTS.refused(400, body("no\n" * 10_000)))
    assert len(told) < LONGEST + 150
    assert "\n" not in told


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_wait_is_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    """However the provider says it; nonsense is as good as nothing."""
    assert FAULTS.refused(429, body("Slow down"), headers).retry_after == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (body("Rate limit reached: Limit 30000, Used 29000. Please try again in 6.5s. Visit https://x"), 6.5),
        (body("Please retry in 2 s"), 2.0),
        (body("Please retry after 20 seconds."), 20.0),
        (body("Try again in 1m30.5s"), 90.5),
        (body("try again in 350ms"), 0.35),
        (body("wait 2 minutes"), 120.0),
        ([{"error": {"message": "x", "details": [{"@type": "RetryInfo", "retryDelay": "17s"}]}}], 17.0),
        (body("Please try again later. Limit 3 requests"), None),
        (body("retry 3 times"), None),
    ],
)
def test_the_wait_may_stand_in_the_text(said: Any, seconds: float | None) -> None:
    """In a sentence, or where Google puts it; a header beats it."""
    assert FAULTS.refused(429, said).retry_after == (seconds and pytest.approx(seconds))
    assert FAULTS.refused(429, said, {"retry-after": "1"}).retry_after == 1


def test_what_the_provider_behind_a_gateway_says_is_passed_on() -> None:
    """OpenRouter puts it aside, as text or as JSON."""
    for raw in ("x is rate-limited upstream", '{"error": {"message": "x is rate-limited upstream"}}'):
        said = {"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": raw}}}
        assert "Provider returned error (x is rate-limited upstream)" in str(FAULTS.refused(429, said))


def test_credit_for_a_shorter_answer_has_its_mend() -> None:
    """The operator reads both ways out."""
    told = str(FAULTS.refused(402, body("This request requires more credits, or fewer max_tokens.")))
    assert told.endswith("Add credit to the account, or lower bot.max_tokens.")


def test_what_only_a_terminal_obeys_is_not_passed_on() -> None:
    """Errors hold foreign text, too."""
    told = str(FAULTS.refused(400, body("a\x1b[31mb\0c\u202ed \ud83d")))
    assert "abcd \ufffd" in told


def test_the_wait_may_be_a_date() -> None:
    """An hour from now is about an hour."""
    moment = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    wait = FAULTS.refused(503, "", {"retry-after": moment}).retry_after
    assert wait is not None
    assert 3000 < wait <= 3600
