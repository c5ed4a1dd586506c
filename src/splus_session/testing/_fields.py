"""The platform's limits on what it is sent, and its way of saying which one was broken."""

from typing import cast

from splus_session.testing._messages import Response

DEVICE_KINDS = ("ios", "android", "web", "node")


class ApiError(Exception):
    """An answer that is an error, on its way out of a handler."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def error(
    status: int, code: int, message: str, *, detail: list[str] | None = None, retry_after: float | None = None
) -> ApiError:
    """An error in the platform's form."""
    headers = () if retry_after is None else (("retry-after", f"{retry_after:g}"),)
    return ApiError(Response.of_error(status, code, message, detail, headers))


class Fields:
    """Reads the fields of an object one by one and gathers what is wrong with them."""

    def __init__(self, content: object) -> None:
        if not isinstance(content, dict):
            raise error(400, 400000, "The body is not a JSON object")
        self._content = cast("dict[str, object]", content)
        self._wrong: list[str] = []

    def text(self, name: str, longest: int, *, required: bool = False) -> str | None:
        """A string of 1 to `longest` characters."""
        found = self._content.get(name)
        if found is None:
            if required:
                self._wrong.append(f'"{name}" is required')
            return None
        if not isinstance(found, str) or _half_a_character(found):
            self._wrong.append(f'"{name}" must be a string')
            return None
        if not 1 <= len(found) <= longest:
            self._wrong.append(f'"{name}" must be 1 to {longest} characters long')
            return None
        return found

    def device_info(self) -> None:
        """`deviceInfo`, if there is any: kind, model, version of the SDK."""
        found = self._content.get("deviceInfo")
        if found is None:
            return
        if not isinstance(found, dict):
            self._wrong.append('"deviceInfo" must be an object')
            return
        inner = Fields(cast("object", found))
        kind = inner.text("kind", 20)
        if kind is not None and kind not in DEVICE_KINDS:
            inner._wrong.append(f'"kind" must be one of {", ".join(DEVICE_KINDS)}')
        inner.text("model", 100)
        inner.text("sdkVersion", 30)
        self._wrong += [f'"deviceInfo": {wrong}' for wrong in inner._wrong]

    def check(self) -> None:
        """Refuse the request if anything was wrong.

        Raises:
            ApiError: 422 with code 500000, naming every field at fault.
        """
        if self._wrong:
            raise error(422, 500000, "Unprocessable Entity", detail=self._wrong)


def _half_a_character(text: str) -> bool:
    """Whether there is half of a surrogate pair in it: JSON can say that, no character is it."""
    return any("\ud800" <= character <= "\udfff" for character in text)
