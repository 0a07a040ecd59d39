"""Several logs: in any order, and at once."""

import asyncio
import gzip
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import oracle
from tests.support.examples import examples
from tests.support.log_imports import NOW, Importer, lines_of, some_lines, write
from tests.support.log_lines import logs
from tests.support.report_cases import in_order_of_time

pytestmark = pytest.mark.slow

KEY = re.compile(rb"\[[A-Z0-9]{8}\]")
GOODS = """
    SELECT goods_id, category.name, product.name FROM goods
    JOIN product ON product.id = product_id JOIN category ON category.id = category_id ORDER BY 1"""


@given(logs(broken=0, min_lines=10, max_lines=40), st.permutations(range(4)))
@settings(max_examples=examples(4), deadline=None, suppress_health_check=list(HealthCheck))
async def test_parts_of_a_log_in_any_order_are_the_whole_log(
    shop: Importer, tmp_path: Path, log: bytes, order: list[int]
) -> None:
    """As rotated logs are, which may be imported newest first."""
    await shop.empty()
    lines = [
        KEY.sub(b"[%08d]" % number, line)  # no line twice: of two, the first that is read is stored
        for number, line in enumerate(lines_of(in_order_of_time(log.strip(b"\n")) + b"\n"))
    ]
    size = -(-len(lines) // 4)
    for part in order:
        path = tmp_path / f"{part}.txt"
        # Blank lines in front leave the numbers of the lines as they are in the whole log.
        write(path, b"\n" * (size * part) + b"".join(lines[size * part : size * (part + 1)]))
        await shop.read(path)
    products = oracle.products_of_goods(oracle.read_log(lines, now=NOW).visits)
    assert await shop.rows(GOODS) == [(goods_id, *names) for goods_id, names in sorted(products.items())]
    derived = await shop.derived()
    write(tmp_path / "whole.txt", b"".join(lines))
    assert derived == await shop.derived_at_once(tmp_path / "whole.txt")


async def test_many_files_at_once_wait_for_each_other_and_never_for_good(
    shop: Importer, tmp_path: Path
) -> None:
    """The same lines forwards, backwards and gzipped, and others of the same carts and quarter hours."""
    text = some_lines(240)
    other = re.sub(rb"\[0", b"[X", text)
    contents = {
        "a.txt": text,
        "b.txt": b"".join(reversed(text.splitlines(keepends=True))),
        "c.txt": text + other,
        "d.txt": other,
        "e.txt.gz": gzip.compress(other + text),
    }
    for name, content in contents.items():
        write(tmp_path / name, content)
    records = await asyncio.gather(*(shop.read(tmp_path / name, chunk_bytes=3000) for name in contents))
    assert sum(record.imported for record in records) == 480
    assert sum(record.lines for record in records) == 240 * 7
    assert await shop.rows("SELECT count(*) FROM visit") == [(480,)]
    assert await shop.rows("SELECT sum(amount), count(*) FROM cart_item") == [(160, 40)]
    await shop.check_rollups()
