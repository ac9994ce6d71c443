import pytest

from matte.fleet.simulation import BlockCost, PictureCost, StoreLimits, simulate_fleet

COST = PictureCost(0.25, 100_000, 400_000)
BLOCK = BlockCost(pictures=8)


def test_workers_alone_share_the_work() -> None:
    one = simulate_fleet(1, 160, [COST], BLOCK)
    assert one.seconds == pytest.approx(40)
    assert one.busy["workers"] == pytest.approx(1)
    four = simulate_fleet(4, 640, [COST], BLOCK)
    assert four.seconds == pytest.approx(40)
    assert four.rate == pytest.approx(16, rel=0.05)


def test_costs_come_again_and_again() -> None:
    run = simulate_fleet(1, 10, [PictureCost(1), PictureCost(3)], BlockCost(pictures=10))
    assert run.seconds == pytest.approx(20)


def test_a_store_that_takes_few_requests_bends_the_line() -> None:
    store = StoreLimits(writes=10)
    run = simulate_fleet(8, 800, [COST], BLOCK, store)  # the workers alone: 32 a second
    assert run.rate == pytest.approx(10, rel=0.05)
    assert run.limit == "writes"
    reads = simulate_fleet(8, 800, [COST], BLOCK, StoreLimits(reads=5))
    assert (reads.limit, round(reads.rate)) == ("reads", 5)


def test_the_run_file_takes_requests_too() -> None:
    store = StoreLimits(writes=10)
    block = BlockCost(pictures=2, writes=2)
    run = simulate_fleet(8, 800, [COST], block, store)
    assert run.rate == pytest.approx(5, rel=0.05)


def test_bytes_are_a_limit() -> None:
    run = simulate_fleet(8, 800, [COST], BLOCK, StoreLimits(bytes=1_000_000))
    assert run.limit == "bytes"
    assert run.rate == pytest.approx(2, rel=0.05)


def test_a_driver_hands_out_one_block_after_the_other() -> None:
    run = simulate_fleet(50, 4000, [COST], BlockCost(pictures=8, driver_seconds=0.1))
    assert run.limit == "driver"
    assert run.rate == pytest.approx(80, rel=0.05)


def test_latency_is_hidden_within_a_block_and_not_between_blocks() -> None:
    slow = StoreLimits(latency=0.1)
    inside = simulate_fleet(1, 320, [COST], BlockCost(pictures=320), slow)
    assert inside.seconds == pytest.approx(80.2, abs=0.1)
    between = simulate_fleet(1, 320, [COST], BlockCost(pictures=8), slow)
    assert between.seconds == pytest.approx(80 + 40 * 0.2, abs=0.5)


def test_a_block_costs_its_worker_time() -> None:
    run = simulate_fleet(1, 80, [COST], BlockCost(pictures=8, worker_seconds=0.5))
    assert run.seconds == pytest.approx(25)
