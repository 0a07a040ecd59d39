"""The routes, one file a noun; each has a `blueprint`, listed here."""

from sanic import Blueprint

from transport.routes import (
    admin,
    documents,
    events,
    imports,
    keys,
    profile,
    reports,
    root,
    sessions,
    stats,
    tasks,
    users,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    root.blueprint,
    documents.blueprint,
    users.blueprint,
    sessions.blueprint,
    profile.blueprint,
    keys.blueprint,
    admin.blueprint,
    imports.blueprint,
    reports.blueprint,
    tasks.blueprint,
    events.blueprint,
    stats.blueprint,
)
