"""A webhook's other end, on a real socket."""

import asyncio
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

SECRET = "whsec_0123456789abcdef0123456789abcdef"


class Receiver:
    """A webhook's other end: notes what comes, and answers with a status."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], dict[str, str], bytes]] = []
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        raw = await reader.readexactly(int(headers["content-length"]))
        original = dict(line.split(": ", 1) for line in head[1:] if line)
        named = {name.lower(): value for name, value in original.items()}
        query = dict(parse_qsl(urlsplit(head[0].split(" ")[1]).query))
        self.got.append((named, query, raw))
        self.came.put_nowait(raw)
        phrase = HTTPStatus(self.status).phrase
        answer = f"HTTP/1.1 {self.status} {phrase}\r\nconnection: close\r\n\r\n"
        writer.write(answer.encode())
        await writer.drain()
        writer.close()
