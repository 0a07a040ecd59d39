"""The routes, one file a noun; each has a `blueprint`, listed here."""

from sanic import Blueprint

from transport.routes import (
    admin,
    documents,
    imports,
    keys,
    movies,
    pages,
    profile,
    reports,
    root,
    sessions,
    tasks,
    users,
    visits,
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
    movies.blueprint,
    visits.blueprint,
    pages.blueprint,
)
