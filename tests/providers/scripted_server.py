"""A mail server on loopback that does what a script says, byte for byte; unlike aiosmtpd it can misbehave."""

import io
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

DROP = "drop"
SILENT = "silent"
TARPIT = "tarpit "
"""Before an answer: it comes byte by byte."""
LATE = "late "
"""Before an answer: it comes after a moment."""
POLITE: dict[str, str] = {
    "banner": "220 mx.example.org ready",
    "ehlo": "250-mx.example.org\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 HELP",
    "helo": "250 mx.example.org",
    "mail": "250 2.1.0 sender ok",
    "rcpt": "250 2.1.5 recipient ok",
    "data": "354 go ahead",
    "dot": "250 2.0.0 queued",
    "rset": "250 2.0.0 forgotten",
    "quit": "221 2.0.0 bye",
}
ORDER = ("mail", "rcpt", "data")


@dataclass
class Conversation:
    """What one connection said: command lines, and message bytes as they crossed the wire (dots still doubled)."""

    commands: list[bytes] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)


class ScriptedServer:
    """Each connection follows its own script, the last one repeats; a script names answers that differ from POLITE.

    An answer may be DROP (hang up), SILENT (say nothing more), or a list of answers used one after the other; TARPIT
    and LATE may stand before the words. Commands out of order get 503, unless the server is `lax`.
    """

    def __init__(self, *scripts: Mapping[str, str | Sequence[str]], lax: bool = False) -> None:
        self._lax = lax
        self._scripts = scripts or ({},)
        self.conversations: list[Conversation] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._over = threading.Event()

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            sock.close()

    def hang_up(self) -> None:
        """End the newest connection now."""
        self._open[-1].shutdown(socket.SHUT_RDWR)

    @property
    def contents(self) -> list[bytes]:
        return [content for talk in self.conversations for content in talk.contents]

    @property
    def commands(self) -> list[bytes]:
        return [command for talk in self.conversations for command in talk.commands]

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(sock)
            script = self._scripts[min(len(self.conversations), len(self._scripts) - 1)]
            talk = Conversation()
            self.conversations.append(talk)
            threading.Thread(target=self._serve, args=(sock, script, talk), daemon=True).start()

    def _serve(self, sock: socket.socket, script: Mapping[str, str | Sequence[str]], talk: Conversation) -> None:
        answers = {
            key: iter([value] * 1000 if isinstance(value, str) else list(value))
            for key, value in {**POLITE, **script}.items()
        }
        try:
            self._talk(sock, answers, talk)
        except OSError:
            pass
        finally:
            sock.close()

    def _talk(self, sock: socket.socket, answers: Mapping[str, Iterator[str]], talk: Conversation) -> None:
        file = sock.makefile("rb")
        if not self._say(sock, answers, "banner"):
            return
        begun: list[str] = []
        while line := file.readline():
            talk.commands.append(line.rstrip(b"\r\n"))
            verb = line[:4].decode("ascii", "replace").lower().strip()
            if verb not in answers:
                sock.sendall(b"500 5.5.2 what?\r\n")
                continue
            if verb in ORDER and begun != list(ORDER[: ORDER.index(verb)]) and not self._lax:
                sock.sendall(b"503 5.5.1 out of order\r\n")
                continue
            said = self._say(sock, answers, verb)
            if not said or verb == "quit":
                return
            if verb in ("rset", "ehlo", "helo"):
                begun = []
            elif verb in ORDER and said.startswith("2"):
                begun.append(verb)
            if verb == "data" and said.startswith("354"):
                begun = []
                talk.contents.append(_content(file))
                if not self._say(sock, answers, "dot"):
                    return

    def _say(self, sock: socket.socket, answers: Mapping[str, Iterator[str]], key: str) -> str:
        answer = next(answers[key])
        if answer == DROP:
            return ""
        if answer == SILENT:
            self._over.wait(20)
            return ""
        if answer.startswith(LATE):
            self._over.wait(0.1)
        said = answer.removeprefix(LATE).removeprefix(TARPIT)
        whole = said.encode() + b"\r\n"
        step = 1 if answer.startswith(TARPIT) else len(whole)
        for start in range(0, len(whole), step):
            sock.sendall(whole[start : start + step])
            if step == 1:
                self._over.wait(0.002)
        return "" if said.startswith("421") else said


def _content(file: io.BufferedReader) -> bytes:
    lines = []
    while (line := file.readline()) != b".\r\n":
        if not line:
            raise OSError("hung up in the middle of a message")
        lines.append(line)
    return b"".join(lines)
