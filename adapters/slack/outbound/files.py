"""Files of Slack: what people sent is fetched from its own hosts, and an answer is shared as one."""

from __future__ import annotations

import io
from typing import cast

import structlog
from aiohttp import ClientResponse, ClientSession, ClientTimeout

from adapters.shared.download import PATIENCE, admit, opened, read, weigh
from adapters.slack.api.calls import PAUSE, call
from adapters.slack.api.workspace import Workspace
from adapters.slack.settings import APP_PAGE, Settings
from bot.domain.errors import PlatformError, PlatformFault
from bot.domain.messages import Attachment

HOSTS = frozenset({"files.slack.com", "files.slack-gov.com"})
"""Where Slack keeps files and takes them, GovSlack's last; nobody else is told the token."""
OFFICIAL = Settings.model_fields["api_base_url"].default
READ, WRITE = "files:read", "files:write"
"""The scopes for either way."""
HTML = "text/html"
MISSING = f"the slack app lacks a scope: update it at {APP_PAGE} from `parley manifest`, then install it again"

log = structlog.get_logger(__name__)


async def download(
    workspace: Workspace, attachment: Attachment, most: int, patience: ClientTimeout = PATIENCE
) -> bytes:
    """The content of a file, asked for once. Where the API is another's, files may be there too.

    Raises PlatformError: REJECTED for one that is kept elsewhere or has more than `most` bytes, FORBIDDEN where Slack
    shows its login page instead, as it does for want of the scope `files:read`.
    """
    client = workspace.client
    url = admit(attachment.url, HOSTS, _own(workspace))
    weigh(attachment.size, most)
    how = {"headers": {"Authorization": f"Bearer {client.token}"}, "timeout": patience, "proxy": client.proxy}
    async with opened(_session(workspace), "GET", url, **how) as response:
        if _wants_login(response, attachment):
            _tell(workspace, READ)
            raise PlatformError(PlatformFault.FORBIDDEN, "Slack shows its login page instead of a file")
        if response.status != 200:
            raise _explain(response)
        return await read(response, most)


async def attach(workspace: Workspace, channel: str, thread: str, name: str, text: str) -> None:
    """Share a text file in a channel, in a thread where one is named; it is seen only after the last of three calls.

    Raises PlatformError; the limit of the channel's posts is told of a 429.
    """
    client, data = workspace.client, text.encode(errors="replace")
    try:
        place = await call(client.files_getUploadURLExternal(filename=name, length=len(data)))
        await _upload(workspace, str(place["upload_url"]), data)
        files: list[dict[str, str | None]] = [{"id": str(place["file_id"]), "title": name}]
        sharing = client.files_completeUploadExternal(files=files, channel_id=channel, thread_ts=thread or None)
        await call(sharing, workspace.posts(channel))
    except PlatformError as error:
        if str(error) == "missing_scope":
            _tell(workspace, WRITE)
        raise


async def _upload(workspace: Workspace, address: str, data: bytes) -> None:
    """Send the bytes to where Slack said, which takes them without a token."""
    url = admit(address, HOSTS, _own(workspace))
    async with opened(
        _session(workspace), "POST", url, data=io.BytesIO(data), proxy=workspace.client.proxy
    ) as response:
        if response.status != 200:
            raise _explain(response)


def _own(workspace: Workspace) -> str:
    base = workspace.client.base_url
    return "" if base == OFFICIAL else base


def _session(workspace: Workspace) -> ClientSession:
    """The one that all calls share."""
    return cast(ClientSession, workspace.client.session)


def _wants_login(response: ClientResponse, attachment: Attachment) -> bool:
    """Whether this is the way to a login page, or one; a file that is a page itself comes as it is."""
    page = response.content_type == HTML and attachment.media_type != HTML
    return 300 <= response.status < 400 or (response.status == 200 and page)


def _tell(workspace: Workspace, scope: str) -> None:
    """Let the operator know what to do, unless it cannot be that."""
    if scope not in workspace.scopes:
        log.warning(MISSING, scope=scope)


def _explain(response: ClientResponse) -> PlatformError:
    """The error for a status that is no success."""
    status, detail = response.status, f"HTTP {response.status}"
    if status == 429:
        said = response.headers.get("Retry-After", "")
        return PlatformError(PlatformFault.RATE, detail, float(said) if said.isdigit() else PAUSE)
    if status in (404, 410):
        return PlatformError(PlatformFault.GONE, detail)
    if status in (401, 403):
        return PlatformError(PlatformFault.FORBIDDEN, detail)
    return PlatformError(PlatformFault.NETWORK if status >= 500 else PlatformFault.REJECTED, detail)
