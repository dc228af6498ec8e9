"""Messages as files in a folder: an ``.eml`` for e-mail, a ``.json`` for Slack. For trials, tests and archives."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, Mark, Outcome
from commsengine.channels.mime import HeaderError, message_bytes
from commsengine.content.message import RenderedMessage

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class FileChannel:
    """Writes beside, marks, then renames: a message is there whole or not at all. The same key, the same file."""

    def __init__(self, folder: Path, *, name: str = "file", mail_from: str = "commsengine@localhost") -> None:
        self.folder, self.name, self._mail_from = folder, name, mail_from
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[Outcome]:
        for message in messages:
            yield self._written(message, mark)

    def close(self) -> None:
        """Nothing stays open."""

    def _written(self, message: RenderedMessage, mark: Mark) -> Outcome:
        if not _KEY.fullmatch(message.key):
            return Outcome(message.key, PERMANENT, "connect", "the key is no file name", begun=False)
        path = self.folder / f"{message.key}{'.json' if message.channel == 'slack' else '.eml'}"
        draft = path.with_name(f".{path.name}.draft")
        try:
            draft.write_bytes(self._content(message))
        except HeaderError as bad:
            return Outcome(message.key, PERMANENT, "connect", str(bad), begun=False)
        except OSError as error:
            reason = f"{self.folder} cannot be written: {error.strerror}"
            return Outcome(message.key, RETRY, "connect", reason, begun=False, channel_down=reason)
        if message.key not in set(mark([message.key])):
            draft.unlink()
            return Outcome(message.key, RELEASED, "data", begun=False)
        os.replace(draft, path)
        return Outcome(message.key, SENT, "reply", "ok", remote_id=path.name)

    def _content(self, message: RenderedMessage) -> bytes:
        if message.channel != "slack":
            return message_bytes(message, self._mail_from)
        card = {"key": message.key, "to": message.to_email, "text": message.subject, "blocks": list(message.blocks)}
        return json.dumps(card, ensure_ascii=False, indent=2).encode() + b"\n"
