"""Progress for those who listen."""

import asyncio

from matte.server.events import MAX_UNREAD, Channels


async def first(stream: object, count: int) -> list[bytes]:
    """Returns the first parts of a response."""
    return [await anext(stream.body_iterator) for _ in range(count)]  # type: ignore[attr-defined]  # a response


def test_only_those_who_listen_to_an_id_are_told() -> None:
    async def run() -> tuple[list[bytes], int]:
        channels = Channels()
        channels.start(asyncio.get_running_loop())
        stream = channels.stream("a")
        assert (await first(stream, 1)) == [b": listening\n\n"]
        channels.send("b", "progress", {"done": 0})
        channels.send("a", "progress", {"done": 1})
        channels.end("a")
        told = await first(stream, 1)
        assert [part async for part in stream.body_iterator] == []
        return told, channels.count

    assert asyncio.run(run()) == ([b'event: progress\ndata: {"done": 1}\n\n'], 0)


def test_those_who_lag_miss_the_oldest() -> None:
    async def run() -> list[bytes]:
        channels = Channels()
        channels.start(asyncio.get_running_loop())
        stream = channels.stream("a")
        await first(stream, 1)
        for number in range(MAX_UNREAD + 5):
            channels.send("a", "n", {"n": number})
        await asyncio.sleep(0.01)
        return await first(stream, 1)

    assert asyncio.run(run()) == [b'event: n\ndata: {"n": 5}\n\n']


def test_nobody_listening_costs_nothing() -> None:
    channels = Channels()
    channels.send("a", "progress", {})
    channels.end("a")
    assert channels.count == 0
