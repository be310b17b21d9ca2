"""An IMAP and SMTP server in one process on loopback: `python -m mailml.demo.server`.

It prints one JSON line with its ports and logins, then serves until it is told to stop or its standard input
ends. Mail to the desk's domain lands in the desk's INBOX; all other mail "leaves": it is kept in the INBOX of
the user `world`, so that what was sent to whom can be counted. Everything lives in memory and dies with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import threading
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, Envelope, Session
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, DictBackend, Identity
from pymap.imap import IMAPServer, IMAPService
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import Passwords, UserMetadata

from mailml.demo.delivery import as_delivered, as_sent
from mailml.lab.sample.desk import ADDRESS, DOMAIN

HOST = "127.0.0.1"
WORLD = "world"  # the user whose INBOX holds everything that left


class LongLineSMTP(SMTP):
    """An SMTP server that takes over-long lines as a lenient relay does: broken mail must get in."""

    line_length_limit = 1 << 20


class MailServer:
    """The two servers over one store. Use `start`, then `serve`."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.imap_port = self.smtp_port = 0

    async def start(self, stack: AsyncExitStack) -> None:
        """Open both ports; they close with the stack."""
        # pymap parses nested parts recursively: 400 deep is more than the interpreter's own limit allows
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
        backend, config = await DictBackend.init(_arguments(self.password))
        config.apply_context()
        self._backend = backend
        await self._add_world(backend, config)
        await backend.start(stack)
        # as pymap's own service does, but with a port of the system's choice that we can learn
        answer = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
        imap = await stack.enter_async_context(await asyncio.start_server(answer, HOST, 0))
        loop = asyncio.get_running_loop()
        smtp = await stack.enter_async_context(await loop.create_server(self._smtp, HOST, 0))
        self.imap_port = imap.sockets[0].getsockname()[1]
        self.smtp_port = smtp.sockets[0].getsockname()[1]

    async def _add_world(self, backend: DictBackend, config: Config) -> None:
        hashed = await Passwords(config).hash_password(self.password)
        identity = Identity(WORLD, backend.login, None, frozenset())
        await identity.set(UserMetadata(config, WORLD, password=hashed))

    def _smtp(self) -> SMTP:
        return LongLineSMTP(self, hostname=HOST, data_size_limit=128 << 20, enable_SMTPUTF8=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Deliver to the desk or to the world, by the recipient's domain (the name is aiosmtpd's)."""
        raw, now = bytes(envelope.original_content or b""), datetime.now(UTC)
        sender = (envelope.mail_from or "").strip("<>")  # aiosmtpd leaves the null sender as "<>"
        for recipient in envelope.rcpt_tos:
            if recipient.lower().endswith("@" + DOMAIN):
                await self.put(ADDRESS, "INBOX", as_delivered(raw, sender, recipient, now), now)
            else:
                await self.put(WORLD, "INBOX", as_sent(raw, sender, recipient), now)
        return "250 2.0.0 taken"

    async def put(
        self, user: str, folder: str, raw: bytes, when: datetime, flags: tuple[str, ...] = ()
    ) -> None:
        """Put a message into a user's folder."""
        identity = Identity(user, self._backend.login, None, frozenset())
        marks = frozenset(Flag(flag.encode()) for flag in flags)
        async with identity.new_session() as opened:
            box = await opened.mailbox_set.get_mailbox(folder)
            await box.append(AppendMessage(raw, when, marks), recent=True)

    async def seed(self, seed: int, messages: int, *, hostile: bool) -> None:
        """Fill the desk's mailbox with the sample, without going through IMAP."""
        from mailml.lab import sample

        made = sample.generate(seed=seed, messages=messages, hostile=hostile)
        identity = Identity(ADDRESS, self._backend.login, None, frozenset())
        async with identity.new_session() as opened:
            for folder in made.folders():
                if folder != "INBOX":
                    await opened.mailbox_set.add_mailbox(folder)
        for message in made:
            await self.put(ADDRESS, message.folder, message.raw, message.received, message.flags)

    def announce(self) -> str:
        """The JSON line that tells a parent where everything is."""
        told = {"host": HOST, "imap": self.imap_port, "smtp": self.smtp_port, "user": ADDRESS, "world": WORLD}
        return json.dumps(told | {"password": self.password})


def _arguments(password: str) -> argparse.Namespace:
    """pymap is configured by its own command line."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="backend")
    IMAPService.add_arguments(parser)
    DictBackend.add_subparser("dict", commands)
    parser.add_argument("--debug", action="store_true")
    parser.set_defaults(skip_services=[], passlib_cfg=None, proxy_protocol=None)
    user = ["--demo-user", ADDRESS, "--demo-password", password]
    return parser.parse_args(["--host", HOST, "--no-tls", "dict", *user])


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGTERM, SIGINT or the end of standard input."""
    server, stop = MailServer(options.password), asyncio.Event()
    async with AsyncExitStack() as stack:
        await server.start(stack)
        if options.seed is not None:
            await server.seed(options.seed, options.messages, hostile=options.hostile)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        print(server.announce(), flush=True)
        if options.until_eof:
            # a daemon thread: a pending read must not hold up the end
            threading.Thread(target=_wait_for_end, args=(loop, stop), daemon=True).start()
        await stop.wait()


def _wait_for_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """A parent that dies closes our standard input: no server is left behind."""
    sys.stdin.buffer.read()
    with suppress(RuntimeError):  # the loop may have ended already
        loop.call_soon_threadsafe(stop.set)


def main(argv: list[str] | None = None) -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m mailml.demo.server", description=__doc__)
    parser.add_argument("--password", default="demo", help="the password of both users")
    parser.add_argument("--seed", type=int, help="fill the mailbox with the sample of this seed")
    parser.add_argument("--messages", type=int, default=3000, help="how many messages the sample has")
    parser.add_argument("--hostile", action="store_true", help="add mails that attack readers")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    asyncio.run(serve(parser.parse_args(argv)))


if __name__ == "__main__":
    main()
