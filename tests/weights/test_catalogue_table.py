from matte.weights.catalogue_table import catalogue_table, rules_table
from matte.weights.peer_settings import named_rules
from matte.weights.store import all_weights


def test_every_network_that_can_be_fetched_and_run_has_a_row() -> None:
    table = catalogue_table().splitlines()
    for name, weights in all_weights().items():
        rows = [row for row in table if row.startswith(f"| `{name}` |")]
        assert len(rows) == bool(weights.url and weights.kind != "checkpoint")
        for row in rows:
            assert weights.licence in row
            assert weights.source in row
            assert ("**" in row) == weights.non_commercial


def test_every_rule_has_a_row() -> None:
    table = rules_table()
    assert all(f"| `{name}` | {rule.about} |" in table for name, rule in named_rules().items())
