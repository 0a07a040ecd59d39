"""The routes, one file a noun; each has a `blueprint`, listed here."""

from sanic import Blueprint

from transport.routes import admin, imports, keys, pages, profile, reports, root, sessions, users, visits

BLUEPRINTS: tuple[Blueprint, ...] = (
    root.blueprint,
    users.blueprint,
    sessions.blueprint,
    profile.blueprint,
    keys.blueprint,
    admin.blueprint,
    imports.blueprint,
    reports.blueprint,
    visits.blueprint,
    pages.blueprint,
)
