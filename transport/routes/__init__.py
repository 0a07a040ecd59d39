"""The routes, one file a noun; each has a `blueprint`, listed here."""

from sanic import Blueprint

from transport.routes import (
    admin,
    dashboard,
    documents,
    events,
    imports,
    keys,
    live,
    movies,
    pages,
    password_resets,
    profile,
    reports,
    root,
    sessions,
    sites,
    stats,
    tasks,
    totp,
    users,
    visits,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    root.blueprint,
    documents.blueprint,
    dashboard.blueprint,
    users.blueprint,
    sessions.blueprint,
    profile.blueprint,
    totp.blueprint,
    keys.blueprint,
    password_resets.blueprint,
    admin.blueprint,
    imports.blueprint,
    reports.blueprint,
    live.blueprint,
    tasks.blueprint,
    movies.blueprint,
    visits.blueprint,
    pages.blueprint,
    sites.blueprint,
    events.blueprint,
    stats.blueprint,
)
