"""What FastAPI cannot know of the bodies that are sent: forms, patches, bodies read by hand."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from vek1_api.core.inputs import Input

JSON = "application/json"
FORM = "multipart/form-data"
NULL = {"type": "null"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the path, the method and the operation of everything that can be called."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def define_own_bodies(document: dict[str, Any]) -> None:
    """Add the schemas that routes name in ``openapi_extra``; each is an ``Input``."""
    schemas = document["components"]["schemas"]
    inputs = {model.__name__: model for model in _subclasses(Input)}
    for _, _, operation in operations(document):
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
            for name in _named(body["schema"]):
                if name not in schemas:
                    schemas |= with_parts(inputs[name])
                if media_type == FORM:
                    _describe_form(body, schemas[name])


def forget_defaults_of_patches(document: dict[str, Any]) -> None:
    """Remove what would be read as "left out means this": left out means unchanged."""
    schemas = document["components"]["schemas"]
    for _, method, operation in operations(document):
        if method == "patch":
            schema = operation["requestBody"]["content"][JSON]["schema"]
            for part in schemas[schema["$ref"].rpartition("/")[2]]["properties"].values():
                part.pop("default", None)


def with_parts(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a model and of the models inside it, by name."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _named(schema: dict[str, Any]) -> list[str]:
    """Return the names of the schemas that a body may have."""
    choices = schema.get("anyOf", [schema])
    return [each["$ref"].rpartition("/")[2] for each in choices if "$ref" in each]


def _describe_form(body: dict[str, Any], schema: dict[str, Any]) -> None:
    """Say what a form cannot say by itself: no field is null, lists and objects are JSON."""
    for name, part in schema["properties"].items():
        for alternative in part.pop("anyOf", ()):
            if alternative != NULL:
                part.update(alternative | part)
        if part.get("default", "") is None:
            del part["default"]
        if part.get("type") in {"array", "object"}:
            body.setdefault("encoding", {})[name] = {"contentType": JSON}


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _subclasses(each)
