"""Lines with masked addresses, whose countries are looked up before (ADDRESS_MASK)."""

from dataclasses import replace

import numpy as np

from clients.geo import Geo
from service.logs.address_masks import mask_address, mask_text
from service.logs.line_columns import LineColumns
from service.logs.rejects import REJECT_TEXT_CHARACTERS, RejectedLine


def mask_lines(lines: LineColumns, geo: Geo, mask: int) -> LineColumns:
    """Return lines that no full address is in, nor in their rejects.

    Masked addresses are told apart by their countries: each is one of the pairs of the result.
    """
    if not mask:
        return lines
    pairs: dict[tuple[str, str | None], int] = {}
    places = [
        pairs.setdefault((mask_address(address, mask), geo.country(address)), len(pairs))
        for address in lines.addresses
    ]
    return replace(
        lines,
        address=np.array(places, np.int32)[lines.address],
        addresses=[address for address, _ in pairs],
        countries=[country for _, country in pairs],
        rejects=[mask_reject(reject, mask) for reject in lines.rejects],
    )


def mask_reject(reject: RejectedLine, mask: int) -> RejectedLine:
    is_cut = len(reject.text) >= REJECT_TEXT_CHARACTERS
    text = mask_text(reject.text, mask, is_cut=is_cut)[:REJECT_TEXT_CHARACTERS]
    return replace(reject, text=text, reason=mask_text(reject.reason, mask))
