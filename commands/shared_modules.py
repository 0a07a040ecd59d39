"""Imports numpy and what reads columns with it, for the server: its workers are forked, and share it.

A worker that imported them itself would answer its first statistic 0.1 s later, and hold 12 MB more.
"""

# ruff: noqa: F401 - importing is all that this module does

import os

# Else OpenBLAS, which nothing here computes with, starts a thread for each core, and a fork has none of them.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import db.event_parts
import db.queries.carts
import db.queries.event_columns
import db.queries.live_merges
import db.queries.small_parts
import service.columns.counts
import service.events.cohorts
import service.events.columns
import service.events.dimensions
import service.events.funnel
import service.reports.carts
import service.reports.partial_days
import service.reports.split_quarters
import service.visits.exports
import service.visits.lists
import transport.visit_export
