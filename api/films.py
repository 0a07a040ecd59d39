"""Requests and responses about films."""

from marshmallow import ValidationError, fields

from api.fields import DigitsOrInteger, Integer, IntegerText, RowResponse, Strict, Text
from api.limits import MAX_FILM_PAGE, MAX_SEARCH
from api.paging import Cursor, PageQuery
from api.times import DateTime


class Keyword(Text):
    """A search term. Loads without the blanks around it."""

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        keyword = super()._deserialize(value).strip()
        if not keyword:
            raise ValidationError("must not be blank")
        return keyword


class SearchFilmsRequest(Strict):
    query = Keyword(minimum=1, maximum=MAX_SEARCH, required=True)
    page = IntegerText(minimum=1, maximum=MAX_FILM_PAGE, load_default=1)


class CreateFavouriteRequest(Strict):
    kinopoisk_id = DigitsOrInteger(minimum=1, required=True)


class ListFavouritesRequest(PageQuery):
    after = Cursor(DateTime(), Integer(minimum=1))


class FilmResponse(RowResponse):
    """A film; what is not known of it is null. A search knows less than a look-up."""

    kinopoisk_id = fields.Integer(required=True)
    imdb_id = fields.String(allow_none=True)
    name_ru = fields.String(allow_none=True)
    name_en = fields.String(allow_none=True)
    name_original = fields.String(allow_none=True)
    year = fields.Integer(allow_none=True)
    length_minutes = fields.Integer(allow_none=True)
    type = fields.String(allow_none=True, metadata={"example": "FILM"})
    description = fields.String(allow_none=True)
    poster_url = fields.String(allow_none=True)
    rating_kinopoisk = fields.Float(allow_none=True, metadata={"description": "0 to 10"})
    rating_imdb = fields.Float(allow_none=True, metadata={"description": "0 to 10"})
    countries = fields.List(fields.String())
    genres = fields.List(fields.String())
    web_url = fields.String(allow_none=True)


class FavouriteResponse(FilmResponse):
    """A favourite film, with its details as they were at `refreshed_at`."""

    added_at = DateTime()
    refreshed_at = DateTime()
