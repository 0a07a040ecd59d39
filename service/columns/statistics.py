"""Statistics of visits, counted on columns: visits of each group, and more of those groups that are shown.

All blocks are passed twice: to count the visits of each group, and, of the groups of one page of the answer,
distinct addresses, first and last visit. Template pages are counted apart (template_counts.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np

from db.part_files import Array
from db.queries.column_reads import Span
from db.read_threads import Waiting, run_while_awaited
from service.columns.blocks import Block, LiveBlock, PartBlock
from service.columns.cached_counts import split_parts
from service.columns.candidates import Candidate, CountRow, label_order, name
from service.columns.count_cache import CountCache, CountKey, parts_to_count
from service.columns.distinct import GroupDetails
from service.columns.group_counts import GroupCounts
from service.columns.groups import Groups, PageGroups, TimeGroups, UserGroups
from service.columns.matching import PartFilter, matching_rows
from service.columns.slots import Slots, add_details
from service.columns.snapshot import Parts, Snapshot
from service.columns.template_counts import TemplateCounts
from service.columns.template_groups import Columns, Firsts, TemplateGroups

T = TypeVar("T")


@dataclass(slots=True)
class Statistics:
    """One count, over the parts of a snapshot and live visits.

    :param criteria: of log lines; None for none
    :param live: the live visits that the filter lets through, if there are any
    :param count_key: given if counts of whole parts are cached
    """

    snapshot: Snapshot
    criteria: PartFilter | None
    spans: Sequence[Span]
    live: LiveBlock | None
    groups: Sequence[Groups]
    count_key: CountKey | None = None
    page_group: int | None = field(init=False)
    user_group: int | None = field(init=False)
    templates: TemplateCounts | None = field(init=False)

    def __post_init__(self) -> None:
        pages = [place for place, each in enumerate(self.groups) if isinstance(each, PageGroups)]
        self.page_group = pages[0] if pages else None
        users = [place for place, each in enumerate(self.groups) if isinstance(each, UserGroups)]
        self.user_group = users[0] if users else None
        self.templates = None if self.page_group is None else TemplateCounts(self.snapshot.pages)

    async def rows(self, *, limit: int, offset: int) -> list[CountRow]:
        """Return groups, most visits first, then in the order of their values."""
        return await self.details(await self.shown(limit=limit, offset=offset))

    async def shown(self, *, limit: int, offset: int) -> list[Candidate]:
        """Return the groups that `rows` has, without their details."""
        counts = await self.count_visits()
        need = offset + limit
        totals = await run_while_awaited(lambda _: counts.result(need, without_none=self.page_group))
        known = await self.template_groups(totals[2], need=need)
        candidates, skipped = await self.candidates(totals, known, offset, offset + limit)
        await name(candidates, self.groups, self.page_group, self.snapshot)
        candidates.sort(key=Candidate.sort_key)
        if not candidates and not self.groups and not offset:
            return [Candidate(0, ())]
        return candidates[offset - skipped : offset - skipped + limit]

    async def count_visits(self) -> GroupCounts:
        """Count the visits of groups; those of whole parts may be known."""
        counts, templates = GroupCounts(len(self.groups)), self.templates
        count_key = None if self.count_key is None else self.count_key.about("visits")
        whole, rest = self.split(count_key, self.spans)
        entry = None if count_key is None else self.cache.get(count_key, whole)
        if entry is not None:
            known, buckets = entry.value
            counts = known.copy()
            if templates is not None:
                templates.buckets += buckets
        new = parts_to_count(whole, entry)
        await self.each_part(partial(self.count, counts), new)
        if count_key is not None and new:
            counts.settle()
            buckets = None if templates is None else templates.buckets.copy()
            self.cache.put(count_key, whole, (counts.copy(), buckets), counts.size)
        await self.each_block(partial(self.count, counts), rest)
        return counts

    def split(
        self, count_key: CountKey | None, spans: Sequence[Span]
    ) -> tuple[Sequence[Span], Sequence[Span]]:
        """Return the parts whose counts are kept, and the others."""
        return ([], spans) if count_key is None else split_parts(self.criteria, spans)

    @property
    def cache(self) -> CountCache:
        self.snapshot.store.count_cache = self.snapshot.store.count_cache or CountCache()
        return self.snapshot.store.count_cache

    async def each_block(self, work: Callable[[Block], object], spans: Sequence[Span] | None = None) -> None:
        """Do work for each block, in threads.

        :param spans: the parts that matter, if not all do
        """
        if self.live is not None:
            await run_while_awaited(partial(self.work_on_live, work, self.live))
        await self.each_part(work, self.spans if spans is None else spans)

    async def each_part(self, work: Callable[[Block], object], spans: Sequence[Span]) -> None:
        """Do work for each block of some parts."""
        async for parts in self.snapshot.batches(spans):
            await run_while_awaited(partial(self.work_on_parts, work, parts))

    @staticmethod
    def work_on_live(work: Callable[[Block], object], block: Block, _: Waiting) -> None:
        """Do work for the block of live visits, in a thread. It is small: nobody stops it."""
        work(block)

    def work_on_parts(self, work: Callable[[Block], object], parts: Parts, waiting: Waiting) -> None:
        """Do work for a block of each part, in a thread, until nobody waits for it any longer."""
        assert self.criteria is not None
        for span, part in parts:
            waiting.check()
            block = PartBlock(
                span,
                part,
                matching_rows(self.snapshot, self.criteria, span, part),
                self.snapshot.addresses.visitors,
            )
            if len(block):
                work(block)

    def count(self, counts: GroupCounts, block: Block) -> None:
        """Count a block's visits by group; those of template pages apart."""
        if len(self.groups) == 1 and isinstance(self.groups[0], TimeGroups):
            counts.add_counts(*self.groups[0].runs(block.occurred))
            return
        if self.templates is not None:
            self.templates.bound(block)
        if self.user_group is not None:
            self.count_users(counts, block, self.user_group)
            return
        counts.add([each.codes(block) for each in self.groups] or [block.address])

    def count_users(self, counts: GroupCounts, block: Block, place: int) -> None:
        """Count a block's visits by user, perhaps with another group: most have no user."""
        users = self.groups[place]
        assert isinstance(users, UserGroups)
        rows, codes = users.rows(block)
        if len(self.groups) > 1:
            other = self.groups[1 - place].codes(block)
            counts.add_with_none([codes, other] if place == 0 else [other, codes], place, rows)
            return
        counts.add([codes])
        counts.add_counts(np.zeros(1, np.int64), np.array([len(block) - len(rows)]))

    def other_codes(self, codes: Sequence[Array]) -> Array | None:
        """Return the numbers of the group beside pages."""
        return codes[1 - self.page_group] if len(codes) > 1 and self.page_group is not None else None

    async def template_groups(self, visits: Array, *, need: int) -> TemplateGroups:
        """Return the groups of template pages that may be among the first `need`.

        :param visits: of all other groups
        """
        templates, none = self.templates, TemplateGroups.of_rows([])
        if templates is None:
            return none
        least = int(np.partition(visits, -need)[-need]) if len(visits) >= need else 1
        if templates.most < least:
            return none
        await self.pass_templates(templates.add)
        await run_while_awaited(lambda _: templates.finish(least))
        groups = await self.collect(templates.repeated_rows) if templates.has_repeated else none
        most = need - int(np.count_nonzero(visits > 1)) - int(np.count_nonzero(groups.visits > 1))
        if most <= 0 or not templates.singles:
            return groups
        pieces = await self.pass_templates(templates.single_others) if self.page_group == 1 else []
        firsts = await self.firsts(pieces, most)
        return groups | await self.collect(partial(templates.single_rows, firsts=firsts))

    async def firsts(self, others: Sequence[Array], most: int) -> Firsts:
        """Return which of equally frequent template pages may be among the first `most`.

        :param others: the other groups that they are of
        """
        if self.page_group != 1:
            return Firsts(most)
        codes, counts = np.unique(np.concatenate(others), return_counts=True)
        counts_of = dict(zip(codes.tolist(), counts.tolist(), strict=True))
        labels = await self.groups[0].labels(self.snapshot, list(counts_of))
        *whole, last = sorted(counts_of, key=lambda code: label_order(labels[code]))
        for place, code in enumerate(whole):
            if counts_of[code] >= most:
                return Firsts(most, code, tuple(whole[:place]))
            most -= counts_of[code]
        return Firsts(most, last, tuple(whole))

    async def collect(self, rows_of: Callable[[Block, Array | None], Columns]) -> TemplateGroups:
        """Collect the template pages of all blocks, with what `rows_of` counts of them."""
        pieces = await self.pass_templates(rows_of)
        return await run_while_awaited(lambda _: TemplateGroups.of_rows(pieces))

    async def pass_templates(self, rows_of: Callable[[Block, Array | None], T]) -> list[T]:
        """Return what `rows_of` has for each block."""
        pieces: list[T] = []

        def add(block: Block) -> None:
            codes = [
                np.empty(0) if isinstance(each, PageGroups) else each.codes(block) for each in self.groups
            ]
            pieces.append(rows_of(block, self.other_codes(codes)))

        await self.each_block(add)
        return pieces

    async def candidates(
        self, counts: tuple[Array, Array, Array], known: TemplateGroups, begin: int, end: int
    ) -> tuple[list[Candidate], int]:
        """Return the groups that may stand at [begin, end) of the answer, and how many stand before them."""
        first, second, visits = counts
        every = np.concatenate([visits, known.visits])
        if begin >= len(every):
            return [], begin
        ends = [len(every) - 1 - begin, len(every) - min(end, len(every))]
        most, least = np.partition(every, ends)[ends]
        places = np.flatnonzero((visits <= most) & (visits >= least))
        candidates = [
            Candidate(count, (one, two)[: len(self.groups)])
            for one, two, count in zip(
                first[places].tolist(), second[places].tolist(), visits[places].tolist(), strict=True
            )
        ]
        chosen = (known.visits <= most) & (known.visits > least)
        rarest = known.visits == least
        if rarest.any():
            firsts = await self.firsts([known.columns["other"][rarest]], end - int(np.sum(every > least)))
            chosen |= firsts.among(known.columns, rarest)
        if self.templates is not None:
            candidates += [
                Candidate(group.visits, (group.other, group.other), group)
                for group in known.at(np.flatnonzero(chosen), self.templates.hosts)
            ]
        return candidates, int(np.count_nonzero(every > most))

    async def details(self, shown: Sequence[Candidate]) -> list[CountRow]:
        """Count distinct addresses of groups, and find their first and last visits."""
        details = await self.count_details([each.codes for each in shown if each.template is None])
        rows, slot = [], 0
        for candidate in shown:
            known = candidate.template
            if known is None:
                visitors, first, last = (
                    int(each[slot]) for each in (details.visitors, details.first, details.last)
                )
                slot += 1
            else:
                visitors, first, last = known.visitors, known.first, known.last
            times = (first, last) if candidate.visits else (None, None)
            rows.append(CountRow(candidate.values, candidate.visits, visitors, *times))
        return rows

    async def count_details(self, codes: Sequence[tuple[int, ...]]) -> GroupDetails:
        """Count what is shown of groups, by their numbers."""
        order = sorted(range(len(codes)), key=codes.__getitem__)  # what is kept serves any order
        codes = [codes[place] for place in order]
        details, slots = GroupDetails(len(codes), self.addresses()), Slots(self.groups, codes)
        add, rounds = partial(add_details, details, slots), details.rounds()
        count_key = (
            self.count_key.about(tuple(codes)) if self.count_key is not None and len(rounds) == 1 else None
        )
        whole, rest = self.split(count_key, slots.spans(self.spans))
        entry = None if count_key is None else self.cache.get(count_key, whole)
        new = parts_to_count(whole, entry)
        for begin in rounds:
            details.begin(begin)
            if entry is not None:
                details.restore(entry.value)
            await self.each_part(add, new)
            if count_key is not None and new:
                value = await run_while_awaited(lambda _: details.pack())
                self.cache.put(count_key, whole, value, value.size)
            await self.each_block(add, rest)
            await run_while_awaited(lambda _: details.end())
        details.arrange(np.argsort(order))
        return details

    def addresses(self) -> int:
        """Return a number beyond all ids of addresses."""
        live = 0 if self.live is None else int(self.live.address.max())
        visitors = self.snapshot.addresses.visitors
        return max(len(self.snapshot.addresses.codes), 0 if visitors is None else len(visitors), live + 1)
