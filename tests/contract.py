"""Holds every answer of every test against the OpenAPI document."""

import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator

PARAMETER = re.compile(r"\{[^}]+\}")


class Contract:
    """The document, ready to judge answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._paths = [
            (re.compile(PARAMETER.sub("[^/]+", path) + "$"), path)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    async def check(self, response: httpx.Response) -> None:
        """Fail if the answer's status, type or body is not what the document says."""
        request = response.request
        operation = self._operation(request.method, request.url.path)
        if operation is None:
            return
        await response.aread()
        where = f"{request.method} {request.url.path} -> {response.status_code}"
        documented = operation["responses"].get(str(response.status_code))
        assert documented is not None, f"{where} is not documented: {response.text}"
        media_type = response.headers.get("content-type", "").partition(";")[0]
        content = documented.get("content", {})
        if not content:
            assert response.content == b"" or media_type == "", f"{where} has a body"
            return
        assert media_type in content, f"{where} is {media_type}, documented {list(content)}"
        if media_type.endswith("json"):
            self._validate(content[media_type]["schema"], response.json(), where)

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, template in self._paths:
            operation = self.document["paths"][template].get(method.lower())
            if operation and pattern.match(path):
                return dict(operation)
        return None

    def _validate(self, schema: dict[str, Any], body: Any, where: str) -> None:
        root = {**schema, "components": self.document["components"]}
        errors = [error.message for error in Draft202012Validator(root).iter_errors(body)]
        assert not errors, f"{where}: {errors}"
