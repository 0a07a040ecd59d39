"""The tables, a file a noun. Roll-ups are written in the transaction of the rows that they count."""

from db.models.accounts import Account, ApiKey, AuthEvent, RefreshToken, Session
from db.models.agents import Agent, Referrer
from db.models.base import Base
from db.models.cart_rollups import (
    Buyer,
    BuyerCount,
    CartDay,
    CartDayVersion,
    PaidCategoryDay,
    PaidPairDay,
    PaymentDay,
)
from db.models.carts import Cart, CartItem, Payment
from db.models.events import DroppedPart, Event, EventBatch, EventPart, EventPartColumns
from db.models.films import Favourite
from db.models.imports import FilePosition, Import, Reject
from db.models.names import Address, AddressVersion, Category, Goods, Page, Product
from db.models.password_resets import PasswordReset
from db.models.retention import UnfinishedRetention
from db.models.rollups import CategoryCountryDay, CategoryQuarter, CountryDay, PageVisits, RequestQuarter
from db.models.shares import Share
from db.models.sites import Site
from db.models.tasks import Task
from db.models.totp import RecoveryCode, Totp
from db.models.visit_view import Visit
from db.models.visits import LiveVisit, MergedVisit, VisitPart, VisitPartColumns

__all__ = [
    "Account",
    "Address",
    "AddressVersion",
    "Agent",
    "ApiKey",
    "AuthEvent",
    "Base",
    "Buyer",
    "BuyerCount",
    "Cart",
    "CartDay",
    "CartDayVersion",
    "CartItem",
    "Category",
    "CategoryCountryDay",
    "CategoryQuarter",
    "CountryDay",
    "DroppedPart",
    "Event",
    "EventBatch",
    "EventPart",
    "EventPartColumns",
    "Favourite",
    "FilePosition",
    "Goods",
    "Import",
    "LiveVisit",
    "MergedVisit",
    "Page",
    "PageVisits",
    "PaidCategoryDay",
    "PaidPairDay",
    "PasswordReset",
    "Payment",
    "PaymentDay",
    "Product",
    "RecoveryCode",
    "Referrer",
    "RefreshToken",
    "Reject",
    "RequestQuarter",
    "Session",
    "Share",
    "Site",
    "Task",
    "Totp",
    "UnfinishedRetention",
    "Visit",
    "VisitPart",
    "VisitPartColumns",
]
