"""Settings: a mistake is told by its name and place, and of two sources the stronger counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.slack import Settings as SlackSettings
from adapters.web import Settings as WebSettings
from bot.config.load import load, schema
from bot.config.models import ModelSettings
from bot.config.settings import PlaceSettings
from bot.domain.errors import SettingsError

SECRET = "sk-very-secret-0123456789"
SHAPE = schema({"slack": SlackSettings, "web": WebSettings})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mistake(toml: str = "", environ: dict[str, str] | None = None) -> str:
    """The sentence with which these settings are refused."""
    Path("config.toml").write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load(SHAPE, None, environ or {})
    return str(caught.value)


def web(environ: dict[str, str] | None = None) -> WebSettings:
    """The [web] section that comes of the files in the working directory and this environment."""
    section = getattr(load(SHAPE, None, environ or {}), "web")  # noqa: B009
    assert isinstance(section, WebSettings)
    return section


def test_nothing_set_means_the_defaults() -> None:
    """Without a file and without variables, everything is as the program has it."""
    settings = load(SHAPE, None, {"PATH": "/bin", "PARLEY": "x", "PORTER": "x"})
    assert settings.model_dump() == SHAPE().model_dump()


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("[bot]\nmodle = 'x'", "bot.modle in config.toml: there is no such setting"),
        ("[bott]\nmodel = 'x'", "config.toml: there is no section [bott]; the sections are [bot], [openai]"),
        ("model = 'x'", "config.toml: model belongs into the section [bot]."),
        ("api_key = 'x'", "config.toml: api_key belongs into the section [openai] or [anthropic] or [web]."),
        ("modle = 'x'", "config.toml: modle belongs into a section; the sections are [bot], [openai]"),
        ("bot = 'x'", "config.toml: bot belongs into a section; the sections are [bot], [openai]"),
        ("[[bot]]\nmodel = 'x'", "config.toml: bot belongs into a section; the sections are [bot], [openai]"),
        ("[bot]\nmax_tokens = 'many'", "bot.max_tokens in config.toml: Input should be a valid integer"),
        ("[bot]\nmax_tokens = 0", "bot.max_tokens in config.toml: Input should be greater than or equal to 1."),
        ("[bot]\ntemperature = 3", "bot.temperature in config.toml: Input should be less than or equal to 2."),
        ("[bot]\nmodel = ", "config.toml is not valid TOML: Invalid value (at end of document)"),
        ("[web]\nport = 70000", "web.port in config.toml: Input should be less than or equal to 65535."),
        ("[web]\ncors_origins = ['x']", "web.cors_origins in config.toml: an origin is written as"),
        ("[slack]\nreset_command = '/parley'", "slack.reset_command in config.toml: /parley is the command for"),
        ("[access]\nblock = 'x'", "access.block in config.toml: Input should be a list."),
        ("[access]\nblock = [true]", "access.block in config.toml: Input should be a valid string."),
        ("[access]\nbots = ['#general']", "access.bots in config.toml: an id is written as the platform has it"),
        ("[log]\nlevel = 'loud'", "log.level in config.toml: Input should be 'debug', 'info', 'warning' or 'error'"),
        (
            "[models.'openai/x']\ninput = -1",
            'models."openai/x".input in config.toml: Input should be greater than or equal to 0.',
        ),
        ("[models.'openai/x']\nprice = 1", 'models."openai/x".price in config.toml: there is no such setting'),
        ("[places.'discord:1']\nmodel = 1", 'places."discord:1".model in config.toml: Input should be a valid string'),
        ("[models.gpt-x]\ninput = 1", 'config.toml: [models."gpt-x"] must be named like [models."openai/gpt-x"].'),
        ("[places.general]", 'config.toml: [places."general"] must be named like [places."discord:123"].'),
        ("[models]\ninput = 1", 'config.toml: models.input belongs into a table such as [models."openai/gpt-x"].'),
        ("places = 1", "config.toml: places belongs into a section"),
        ("[bot]\nfallback_models = [1]", "bot.fallback_models in config.toml: Input should be a valid string"),
    ],
)
def test_a_mistake_in_the_file_is_named(toml: str, expected: str) -> None:
    """Unknown keys and sections, wrong types and values, and broken TOML are told with key and file."""
    assert mistake(toml).startswith(expected)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PARLEY_BOT__MODLE", "x", "PARLEY_BOT__MODLE in the environment: there is no such setting"),
        ("PARLEY_BOTT__MODEL", "x", "PARLEY_BOTT__MODEL is set, but there is no section [bott]"),
        ("PARLEY_MODEL", "x", "PARLEY_MODEL is set, but names no setting: write it as PARLEY_BOT__MODEL, or take"),
        ("PARLEY_BOT_MODEL", "x", "PARLEY_BOT_MODEL is set, but names no setting: write it as PARLEY_BOT__MODEL, or"),
        ("parley_model", "x", "parley_model is set, but names no setting: write it as PARLEY_BOT__MODEL, or take"),
        (
            "PARLEY_PORT",
            "80",
            "PARLEY_PORT is set, but names no setting: write it as PARLEY_WEB__PORT, or take it away",
        ),
        (
            "PARLEY_MODELS__X__INPUT",
            "1",
            "PARLEY_MODELS__X__INPUT is set, but [models] is read from the settings file alone; write it there.",
        ),
        ("PARLEY_PLACES__X", "x", "PARLEY_PLACES__X is set, but [places] is read from the settings file alone"),
        ("PARLEY_X", "x", "PARLEY_X is set, but names no setting: write it as PARLEY_<SECTION>__<KEY>, or take it"),
        ("PARLEY_", "x", "PARLEY_ is set, but names no setting: write it as PARLEY_<SECTION>__<KEY>, or take it away"),
        (
            "PARLEY_BOT__MAX_TOKENS",
            "many",
            "PARLEY_BOT__MAX_TOKENS in the environment: Input should be a valid integer",
        ),
        ("PORT", "http", "PORT in the environment: Input should be a valid integer"),
        ("PARLEY_WEB__CORS_ORIGINS", "x, y", "PARLEY_WEB__CORS_ORIGINS in the environment: an origin is written as"),
    ],
)
def test_a_mistake_in_the_environment_is_named(name: str, value: str, expected: str) -> None:
    """A variable that means nothing, or not what it should, is told by its name."""
    assert mistake(environ={name: value}).startswith(expected)


def test_what_a_container_platform_sets_is_no_mistake() -> None:
    """Beside a service called parley, Kubernetes and Docker set variables of these names by themselves."""
    given = {
        "PARLEY_SERVICE_HOST": "10.0.0.11",
        "PARLEY_SERVICE_PORT": "8000",
        "PARLEY_SERVICE_PORT_HTTP": "8000",
        "PARLEY_PORT": "tcp://10.0.0.11:8000",
        "PARLEY_PORT_8000_TCP": "tcp://10.0.0.11:8000",
        "PARLEY_PORT_8000_TCP_ADDR": "10.0.0.11",
    }
    assert load(SHAPE, None, given) == SHAPE()


def test_a_mistake_in_dotenv_is_named() -> None:
    """What stands in `.env` is told as such."""
    Path(".env").write_text("PARLEY_BOT__HISTORY=lots\n")
    assert mistake().startswith("PARLEY_BOT__HISTORY in .env: Input should be a valid integer")


def test_every_mistake_is_told_at_once() -> None:
    """Two wrong keys give two sentences."""
    sentence = mistake("[bot]\nhistory = -1\n[web]\nport = 'x'")
    assert "bot.history in config.toml:" in sentence
    assert "web.port in config.toml:" in sentence


def test_a_named_file_must_exist(folder: Path) -> None:
    """`--config` with a file that is not there, or that is a folder, is told with the name."""
    with pytest.raises(SettingsError, match=r"no settings file other\.toml: give --config a file that exists"):
        load(SHAPE, Path("other.toml"), {})
    with pytest.raises(SettingsError, match=f"{folder} cannot be read: Is a directory"):
        load(SHAPE, folder, {})


def test_no_secret_is_in_an_error_or_a_repr() -> None:
    """A key beside a mistake, in the place of a mistake or in settings that are printed does not show."""
    assert SECRET not in mistake(f"[openai]\napi_key = '{SECRET}'\nbase = 'x'")
    assert SECRET not in mistake(f"[openai]\napi_key = ['{SECRET}']")
    assert SECRET not in mistake(f"[openai]\napi_key = {SECRET}")
    assert SECRET not in mistake(environ={"PARLEY_WEB__PORT": SECRET})
    assert SECRET not in mistake(environ={"PARLEY_OPENAI__KEY": SECRET})
    Path("config.toml").unlink()
    settings = load(SHAPE, None, {"OPENAI_API_KEY": SECRET})
    assert settings.openai.api_key.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings}"


def test_environment_beats_dotenv_beats_toml() -> None:
    """The nearer to the process, the stronger; an empty variable counts as not set."""
    Path("config.toml").write_text("[bot]\nmodel = 'openai/toml'\nhistory = 1\n[openai]\ntimeout = 1\n")
    Path(".env").write_text("PARLEY_BOT__MODEL=openai/dotenv\nPARLEY_BOT__HISTORY=2\n")
    settings = load(SHAPE, None, {"PARLEY_BOT__MODEL": "openai/environ", "PARLEY_BOT__HISTORY": ""})
    assert (settings.bot.model, settings.bot.history, settings.openai.timeout) == ("openai/environ", 2, 1.0)


def test_parleys_own_name_beats_the_one_of_the_ecosystem() -> None:
    """With both set, `PARLEY_…` counts; a name in the environment beats both in `.env`."""
    both = {"OPENAI_API_KEY": "theirs", "PARLEY_OPENAI__API_KEY": "ours"}
    assert load(SHAPE, None, both).openai.api_key == SecretStr("ours")
    Path(".env").write_text("PARLEY_OPENAI__API_KEY=ours\n")
    assert load(SHAPE, None, {"OPENAI_API_KEY": "theirs"}).openai.api_key == SecretStr("theirs")


def test_port_beats_everything_and_opens_all_addresses() -> None:
    """PORT, as hosting platforms set it, counts above `web.port` from anywhere, and the host is then 0.0.0.0."""
    Path("config.toml").write_text("[web]\nport = 1\nhost = '127.0.0.2'\n")
    assert (web().host, web().port) == ("127.0.0.2", 1)
    assert (web({"PARLEY_WEB__PORT": "2"}).host, web({"PARLEY_WEB__PORT": "2"}).port) == ("127.0.0.2", 2)
    bound = web({"PORT": "3", "PARLEY_WEB__PORT": "2", "PARLEY_WEB__HOST": "127.0.0.3"})
    assert (bound.host, bound.port) == ("0.0.0.0", 3)


def test_blanks_around_a_value_are_none_of_it() -> None:
    """They come along with what is copied, and with a file that ends in a line break."""
    Path("config.toml").write_text("[anthropic]\nbase_url = ' https://llm.example.org '\n")
    settings = load(SHAPE, None, {"OPENAI_BASE_URL": " http://127.0.0.1:1/v1\n", "OPENAI_API_KEY": f"{SECRET}\n"})
    assert settings.openai.base_url == "http://127.0.0.1:1/v1"
    assert settings.openai.api_key.get_secret_value() == SECRET
    assert settings.anthropic.base_url == "https://llm.example.org"


def test_a_list_is_written_with_commas() -> None:
    """A variable for a list is split at its commas."""
    found = web({"PARLEY_WEB__CORS_ORIGINS": "https://a.example, https://b.example,"})
    assert found.cors_origins == ("https://a.example", "https://b.example")


def test_models_and_places_have_tables_by_their_names() -> None:
    """What a table leaves out is unset; a name of another kind of place or model is as good as any."""
    Path("config.toml").write_text(
        "[models.'openai/org/x:7b']\ninput = 1\n[models.'local/y']\nimages = true\n"
        "[places.'slack:T1:C1:17.2']\nsystem_prompt = 'Rhyme.'\n[places.'matrix:!a:b.org']\nmodel = 'local/y'\n"
    )
    settings = load(SHAPE, None, {})
    assert settings.models == {"openai/org/x:7b": ModelSettings(input=1), "local/y": ModelSettings(images=True)}
    assert settings.places["slack:T1:C1:17.2"] == PlaceSettings(system_prompt="Rhyme.")
    assert settings.places["matrix:!a:b.org"] == PlaceSettings(model="local/y")


def test_settings_cannot_be_changed() -> None:
    """What was read is frozen, tables with names too."""
    settings = load(SHAPE, None, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.bot.history = 3  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        settings.models["openai/x"] = ModelSettings()  # type: ignore[index]


def test_a_time_zone_has_to_exist() -> None:
    """It would fail at every question; the error says how to write one."""
    assert load(SHAPE, None, {"PARLEY_BOT__TIMEZONE": "Europe/Berlin"}).bot.timezone == "Europe/Berlin"
    for wrong in ("Mars/Olympus", "../../etc/passwd", "/etc/localtime"):
        with pytest.raises(SettingsError, match=r"PARLEY_BOT__TIMEZONE.*no such time zone"):
            load(SHAPE, None, {"PARLEY_BOT__TIMEZONE": wrong})
