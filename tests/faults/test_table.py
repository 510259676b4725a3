"""The table in docs/reliability.md is made of the faults that the tests cause."""

from tests.faults.table import PAGE, table


def test_reliability_page_has_the_table_of_all_faults() -> None:
    assert f"\n\n{table()}" in PAGE.read_text(), "Next: python -m tests.faults.table"
