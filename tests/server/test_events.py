"""Progress for those who listen."""

import asyncio

import httpx

from matte.server.events import MAX_LISTENERS, MAX_UNREAD, Channels
from tests.server.running import RunningServer, wait_for


async def first(stream: object, count: int) -> list[bytes]:
    """Returns the first parts of a response."""
    return [await anext(stream.body_iterator) for _ in range(count)]  # type: ignore[attr-defined]  # a response


def test_only_those_who_listen_to_an_id_are_told() -> None:
    async def run() -> list[bytes]:
        channels = Channels()
        channels.start(asyncio.get_running_loop())
        stream = channels.stream("a")
        assert (await first(stream, 1)) == [b": listening\n\n"]
        channels.send("b", "progress", {"done": 0})
        channels.send("a", "progress", {"done": 1})
        channels.end("a")
        told = await first(stream, 1)
        assert [part async for part in stream.body_iterator] == []
        return told

    assert asyncio.run(run()) == [b'event: progress\ndata: {"done": 1}\n\n']


def test_a_burst_of_listeners_stays_within_the_limit(server: RunningServer, portrait: str) -> None:
    async def run() -> list[int]:
        async with httpx.AsyncClient(base_url=server.address, trust_env=False) as client:
            asked = [client.build_request("GET", f"{portrait}/events") for _ in range(20)]
            answers = await asyncio.gather(*(client.send(one, stream=True) for one in asked))
            found = [answer.status_code for answer in answers]
            for answer in answers:
                await answer.aclose()
        return found

    before = server.state.channels.count
    server.state.channels.count += MAX_LISTENERS - 5 - before
    statuses = asyncio.run(run())
    server.state.channels.count -= MAX_LISTENERS - 5 - before
    assert sorted(statuses) == [200] * 5 + [503] * 15
    wait_for(lambda: server.state.channels.count == before)


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
