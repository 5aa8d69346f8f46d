"""Bodies that are read by hand, where the shape depends on what is sent."""

from typing import Any, TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel, ValidationError

from vek1_api.core.errors import MalformedRequestError, ValidationFailedError
from vek1_api.core.problems import field_error

Fields = TypeVar("Fields", bound=BaseModel)


async def json_body(request: Request) -> Any:
    """Return what was sent, or raise ``MalformedRequestError``."""
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        message = "The body is not valid JSON."
        raise MalformedRequestError(message) from error


def validated(kind: type[Fields], values: Any) -> Fields:
    """Return the values as ``kind``, or raise ``ValidationFailedError`` with every problem."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [
            field_error(dict(item), ("body", *item["loc"])) for item in error.errors()
        ]
        message = "Some values are not valid; see `errors`."
        raise ValidationFailedError(message, errors=problems) from error
