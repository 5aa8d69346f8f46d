"""Taking one message, or many."""

from typing import Annotated, Any

from fastapi import Depends, Request

from vek1_api.conversations.schemas import MessageCreate, Messages
from vek1_api.core.bodies import json_body, validated

OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/MessageCreate"},
                        {"$ref": "#/components/schemas/Messages"},
                    ]
                }
            }
        },
    }
}


async def _sent(request: Request) -> MessageCreate | Messages:
    body = await json_body(request)
    is_many = isinstance(body, dict) and "messages" in body
    return validated(Messages, body) if is_many else validated(MessageCreate, body)


Sent = Annotated[MessageCreate | Messages, Depends(_sent)]
