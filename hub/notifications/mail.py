"""Sends one e-mail by SMTP: text only, never an attachment."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

SECONDS = 15
# subjects stay on one line: a folded one reads back with blanks in front
_UNFOLDED = policy.SMTP.clone(max_line_length=250)


class NotSent(Exception):
    """The server was not reached or refused. `forever` where trying again is of no use."""

    def __init__(self, reason: str, *, forever: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.forever = forever


@dataclass(frozen=True)
class Postbox:
    """A mail server: `smtp://` (encrypted where the server can) or `smtps://`, with `?from=address`."""

    host: str
    port: int
    sender: str
    encrypted: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str, *, service_host: str) -> Postbox:
        """ValueError for an address that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("HUB_SMTP_URL must look like smtp://user:password@host:port?from=address")
        encrypted = parts.scheme == "smtps"
        sender = parse_qs(parts.query).get("from", [f"no-reply@{service_host}"])[0]
        return cls(
            parts.hostname,
            parts.port or (465 if encrypted else 25),
            sender,
            encrypted,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def send(self, key: UUID, to: str, subject: str, body: str, *, at: datetime) -> None:
        """`NotSent` unless the server has taken it. The same key makes the same Message-ID, so a repeat shows as one."""
        try:
            message = self._message(key, to, subject, body, at)
        except ValueError as error:  # a line break in an address or a subject
            raise NotSent("malformed", forever=True) from error
        try:
            with self._connect() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            raise NotSent(f"recipient {min(codes)}", forever=all(code >= 500 for code in codes)) from error
        except smtplib.SMTPResponseException as error:
            # a refused sign-in or sender may be put right by the operator: only the message itself fails for good
            forever = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            raise NotSent(str(error.smtp_code), forever=forever) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(type(error).__name__) from error

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.encrypted:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _message(self, key: UUID, to: str, subject: str, body: str, at: datetime) -> EmailMessage:
        message = EmailMessage(policy=_UNFOLDED)
        message["From"] = self.sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{key}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body)
        return message
