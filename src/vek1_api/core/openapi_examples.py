"""Examples of bodies, made of the examples that the fields of the schemas state.

A field states its example once, where the resource first has it: what ``AgentCreate.name`` says
is shown in ``AgentRead.name`` too. Ids are derived from what they name, so every example of the
document speaks of the same store, the same agent, the same document.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

MOMENT = "2026-03-02T14:30:00Z"
NULL = {"type": "null"}
NOTHINGS = {"string": "", "integer": 0, "number": 0, "boolean": False}
_ROLE = re.compile(r"(Create|Update|Ensure|Form|Fields|Read|Summary|Page)$")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Schema = Mapping[str, Any]


class Examples:
    """Makes examples; ``unstated`` collects the fields for which nothing says what to show."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        """Take the components of the document."""
        self._schemas = schemas
        self._stated: dict[tuple[str, str], Any] = {}
        self.unstated: set[str] = set()
        for name in sorted(schemas):  # What is created comes before what is updated.
            for field, part in schemas[name].get("properties", {}).items():
                for stated in _stated(part):
                    self._stated.setdefault((_noun(name), field), stated)

    def request(self, schema: Schema) -> Any:
        """Return a body to send: what is required, and what states an example itself."""
        name, found = self._resolved(schema)
        if "properties" not in found:
            return self._value(name, "", found)
        parts = found["properties"]
        required = found.get("required", [])
        shown = [field for field in parts if "examples" in parts[field]]
        names = dict.fromkeys([*required, *shown])
        return {field: self._value(name, field, parts[field]) for field in names}

    def answer(self, schema: Schema) -> Any:
        """Return a body that may come back: every field."""
        name, found = self._resolved(schema)
        return self._value(name, "", found)

    def _value(self, owner: str, field: str, schema: Schema) -> Any:
        for stated in _stated(schema):
            return stated
        if (_noun(owner), field) in self._stated:
            return self._stated[_noun(owner), field]
        if "anyOf" in schema:
            first, *_ = schema["anyOf"]
            return None if NULL in schema["anyOf"] else self._value(owner, field, first)
        if "$ref" in schema:
            return self.answer(schema)
        fixed = [schema[key] for key in ("const", "default") if key in schema]
        choices = [*fixed, *schema.get("enum", ())]
        return choices[0] if choices else self._of_type(owner, field, schema)

    def _of_type(self, owner: str, field: str, schema: Schema) -> Any:
        match schema.get("type"), schema.get("format"):
            case "object", _:
                parts = schema.get("properties", {}).items()
                return {name: self._value(owner, name, part) for name, part in parts}
            case "array", _:
                return [self._value(owner, field.removesuffix("s"), schema["items"])]
            case "string", "uuid":
                return _id(_noun(owner) if field == "id" else field.removesuffix("_id"))
            case "string", "date-time":
                return MOMENT
            case "string", _ if _is_file(schema):
                return "(binary)"
            case kind, _:
                self.unstated.add(f"{owner}.{field}")
                return NOTHINGS.get(str(kind))

    def _resolved(self, schema: Schema) -> tuple[str, Schema]:
        if "$ref" not in schema:
            return "", schema
        name = schema["$ref"].rpartition("/")[2]
        return name, self._schemas[name]


def _stated(schema: Schema) -> Iterator[Any]:
    """Yield the first example that a field states, itself or inside ``X | None``."""
    for part in (schema, *schema.get("anyOf", ())):
        if "examples" in part:
            yield part["examples"][0]
            return


def _is_file(schema: Schema) -> bool:
    return schema.get("format") == "binary" or "contentMediaType" in schema


def _noun(schema_name: str) -> str:
    return _WORD.sub("_", _ROLE.sub("", schema_name)).lower()


def _id(noun: str) -> str:
    return str(UUID(bytes=blake2b(noun.encode(), digest_size=16).digest(), version=4))
