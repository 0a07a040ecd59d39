"""The tables, a file a noun. Roll-ups are written in the same transaction as the rows that they sum up."""

from db.models.accounts import Account, ApiKey, AuthEvent, Session
from db.models.base import Base
from db.models.events import Event
from db.models.films import Favourite
from db.models.imports import FilePosition, Import, Reject
from db.models.rollups import CategoryCountryDay, CategoryQuarter, CountryDay, PageVisits, RequestQuarter
from db.models.tasks import Task
from db.models.visits import Address, Cart, CartItem, Category, Goods, Payment, Product, Visit

__all__ = [
    "Account",
    "Address",
    "ApiKey",
    "AuthEvent",
    "Base",
    "Cart",
    "CartItem",
    "Category",
    "CategoryCountryDay",
    "CategoryQuarter",
    "CountryDay",
    "Event",
    "Favourite",
    "FilePosition",
    "Goods",
    "Import",
    "PageVisits",
    "Payment",
    "Product",
    "Reject",
    "RequestQuarter",
    "Session",
    "Task",
    "Visit",
]
