"""Kinds of pages, and the codes that stand for them in parts and in `page`."""

KINDS = ("main", "category", "product", "cart", "pay", "success", "asset", "other")
KIND_CODES = dict(zip(KINDS, "mcptysao", strict=True))
KIND_NAMES = {code: kind for kind, code in KIND_CODES.items()}
