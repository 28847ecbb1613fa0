"""Slack's side: posting a message and a file in its thread, and what its errors mean for another attempt."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

TIMEOUT = 15  # seconds for each of the four requests
_LONGEST_ERROR = 500
# Errors that another attempt does not change; a person has to change something first.
PERMANENT = {
    "account_inactive", "cannot_reply_to_message", "channel_not_found", "ekm_access_denied",
    "enterprise_is_restricted", "invalid_arguments", "invalid_auth", "invalid_blocks", "invalid_blocks_format",
    "invalid_channel", "is_archived", "missing_scope", "msg_blocks_too_long", "msg_too_long", "no_permission",
    "no_text", "not_allowed_token_type", "not_authed", "not_in_channel", "org_login_required",
    "posting_to_channel_denied", "restricted_action", "restricted_action_thread_locked", "token_expired",
    "token_revoked", "two_factor_setup_required",
}  # fmt: skip
# every failure is kept in the queue and said by the worker; Slack's library says it a second time
_quiet = logging.getLogger("web_server.notify.slack_sdk")
_quiet.setLevel(logging.CRITICAL)


@dataclass
class SlackError(Exception):
    """Slack did not take something.

    Parameters
    ----------
    reason : str
        For people.
    permanent : bool
        Whether another attempt is in vain.
    pause : float, optional
        Seconds that Slack asks to wait, with everything.
    """

    reason: str
    permanent: bool = False
    pause: float | None = None

    def __str__(self) -> str:
        return self.reason


class Slack:
    """The workspace and channel of the settings."""

    def __init__(self) -> None:
        # attempts are counted in the database, not here
        self._client = WebClient(
            token=settings.SLACK_TOKEN,
            base_url=settings.SLACK_URL,
            timeout=TIMEOUT,
            retry_handlers=[],
            logger=_quiet,
        )

    def post(self, text: str, blocks: Sequence[dict[str, Any]]) -> tuple[str, str]:
        """Post a message.

        Parameters
        ----------
        text : str
            For notices of a telephone.
        blocks : sequence of dict
            Block Kit.

        Returns
        -------
        (str, str)
            Slack's id of the message and of the channel.

        Raises
        ------
        SlackError
            If Slack does not take it.
        """
        with _explained("posting the message"):
            answer = self._client.chat_postMessage(
                channel=settings.SLACK_CHANNEL, text=text, blocks=blocks, unfurl_links=False, unfurl_media=False
            )
        return str(answer["ts"]), str(answer["channel"])

    def upload(self, file: Path, *, title: str, channel: str, thread: str) -> None:
        """Put a file into the thread of a message.

        Parameters
        ----------
        file : pathlib.Path
            A product of a run.
        title : str
            What it shows.
        channel, thread : str
            Slack's ids, of `post`.

        Raises
        ------
        SlackError
            If Slack does not take it.
        """
        with _explained("uploading the stamp"):
            self._client.files_upload_v2(
                file=str(file), filename=file.name, title=title, alt_txt=title, channel=channel, thread_ts=thread
            )


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Turn what Slack's library and the network raise into a failure."""
    try:
        yield
    except SlackApiError as error:
        raise _of_answer(doing, error) from error
    except (SlackClientError, HTTPException, OSError) as error:
        raise SlackError(f"{doing}: {error or type(error).__name__}"[:_LONGEST_ERROR]) from error


def _of_answer(doing: str, error: SlackApiError) -> SlackError:
    answer = error.response
    code = str(answer.get("error", "unknown error"))
    words = f"{doing}: {code}"
    if answer.get("needed"):
        words += f" (the bot needs the scope {answer['needed']})"
    pause = None
    if answer.status_code == 429:
        given = answer.headers.get("Retry-After", "")
        pause = float(given) if given.isdigit() else 60.0
        words = f"{doing}: Slack asks to wait {pause:g} s"
    elif answer.status_code != 200:
        words += f" (HTTP {answer.status_code})"
    return SlackError(words[:_LONGEST_ERROR], permanent=code in PERMANENT, pause=pause)
