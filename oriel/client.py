"""A client of the platform's HTTP API: what the command line, the demo and the tests use.

Rules kept here:

- Every call is one of the documented HTTP calls; nothing here knows the store or the disk.
- `publish` can be repeated after a crash at any point: the same bytes go on where they stopped.
- An answer of the platform that is not a success becomes the `OrielError` it carries.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from oriel.bundle import content_hash
from oriel.errors import CATALOGUE, Finding, InvalidInput, OrielError

Progress = Callable[[str], None]
POLL_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
PUBLISH_SECONDS = 300.0
NEXT = {"uploaded": "verifying", "verified": "compiling", "compiled": "storing"}


class Unreachable(OrielError):
    """Nobody answers at the platform's address."""

    def __init__(self, url: str, why: str) -> None:
        hint = "Start it with 'oriel serve', or name another address with --url or ORIEL_URL."
        super().__init__("unavailable", f"No answer from {url}: {why}", hint=hint)


class PlatformClient:
    """The platform at `url`, with one bearer token. Close it, or use it in a `with`."""

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx.Timeout(60, connect=5),
            transport=transport,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # the one way out

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send one request, whatever the answer's status; `Unreachable` where there is none."""
        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from None

    def api(self, method: str, path: str, **request: Any) -> Any:
        """The JSON answer of a management call; None where it has no body. Raises the error it carries."""
        answer = self.send(method, f"/api/v1{path}", **request)
        if answer.is_success:
            return answer.json() if answer.content else None
        raise error_from(answer)

    def download(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """The bytes of a management call that answers with a file. Raises the error it carries."""
        answer = self.send("GET", f"/api/v1{path}", params=params)
        if answer.is_error:
            raise error_from(answer)
        return answer.content

    def save(self, path: str, to: Path) -> int:
        """Write a management call's answer to a file as it comes; how many bytes. Raises the error it carries."""
        try:
            with self._http.stream("GET", f"/api/v1{path}") as answer:
                if not answer.is_success:
                    answer.read()
                    raise error_from(answer)
                with to.open("wb") as file:
                    return sum(file.write(chunk) for chunk in answer.iter_bytes())
        except httpx.HTTPError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from None

    def listing(self, path: str, **params: str) -> list[dict[str, Any]]:
        """All items of a paged listing."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.api("GET", path, params=params | ({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page.get("cursor")
            if not cursor:
                return items

    # publishing

    def publish(
        self, bundle: bytes, envelope: Mapping[str, Any], progress: Progress = lambda _: None
    ) -> dict[str, Any]:
        """Publish a signed bundle and wait until it is ready.

        Args:
            bundle: the bytes of `bundle.tar.zst`.
            envelope: its DSSE envelope.
            progress: told each new state.

        Raises:
            OrielError: the platform's refusal; with every reason where the bundle is rejected.
        """
        session = self.api("POST", "/uploads", json={"content_hash": content_hash(bundle), "size": len(bundle)})
        if session["state"] == "open":
            progress(f"uploading {len(bundle):,} bytes")
            self._upload(session["upload_url"], session.get("upload_headers", {}), bundle)
        if session["state"] in {"open", "uploaded"}:
            self.api("POST", f"/uploads/{session['upload_id']}/finalize", json={"signature": envelope})
        return self._wait_until_ready(session["upload_id"], progress)

    def _upload(self, url: str, headers: Mapping[str, str], bundle: bytes) -> None:
        """Send the bytes to the platform, or to the address it signed: another's, which never sees the token."""
        sent = {"content-type": "application/zstd", **headers}
        if url.startswith("/"):
            answer = self.send("PUT", url, content=bundle, headers=sent)
            if not answer.is_success:
                raise error_from(answer)
            return
        try:
            answer = httpx.put(url, content=bundle, headers=sent, timeout=self._http.timeout, trust_env=False)
        except httpx.HTTPError as error:
            raise Unreachable(url.partition("?")[0], str(error) or type(error).__name__) from None
        if not answer.is_success:
            raise OrielError("unavailable", f"The upload's address answered {answer.status_code}.")

    def _wait_until_ready(self, upload_id: str, progress: Progress) -> dict[str, Any]:
        seen, waits, deadline = "", list(POLL_SECONDS), time.monotonic() + PUBLISH_SECONDS
        while time.monotonic() < deadline:
            session: dict[str, Any] = self.api("GET", f"/uploads/{upload_id}")
            if session["state"] != seen:
                seen = session["state"]
                progress(f"{seen}, {NEXT[seen]}" if seen in NEXT else seen)
            if seen == "ready":
                return session
            if seen == "rejected":
                raise rejection(session)
            time.sleep(waits.pop(0) if len(waits) > 1 else waits[0])
        raise OrielError(
            "unavailable",
            f"The upload {upload_id} is still '{seen}' after {PUBLISH_SECONDS:.0f} seconds.",
            hint="Run the same command again: it goes on where it stopped.",
        )

    # installs

    def install(
        self,
        extension_id: str,
        *,
        version: str | None = None,
        grants: Sequence[Mapping[str, Any]] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Install for the token's tenant. Without `grants`, an extension that asks for something is refused."""
        body: dict[str, Any] = {"extension_id": extension_id}
        body |= {"version": version} if version else {}
        body |= {"grants": list(grants)} if grants is not None else {}
        body |= {"config": dict(config)} if config else {}
        installed: dict[str, Any] = self.api("POST", "/installs", json=body)
        return installed

    # calling

    def call(
        self,
        extension_id: str,
        path: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
    ) -> httpx.Response:
        """One request to an extension's endpoint; the answer as it came, also where it is an error."""
        return self.send(method, f"/api/ext/{extension_id}/{path.lstrip('/')}", content=body, headers=list(headers))


def rejection(session: Mapping[str, Any]) -> OrielError:
    """The error of a rejected upload: its first finding's code, and all findings."""
    findings = session["findings"]
    code = findings[0]["code"] if findings and findings[0]["code"] in CATALOGUE else "invalid_bundle"
    return InvalidInput(code, [Finding(entry["at"], entry["message"]) for entry in findings], subject="The bundle")


def error_from(answer: httpx.Response) -> OrielError:
    """The error that a problem+json answer carries."""
    try:
        problem = answer.json()
        code, findings = problem["code"], problem.get("findings")
    except (ValueError, KeyError, TypeError):
        return OrielError("internal", f"The platform answered {answer.status_code} without saying why.")
    if code not in CATALOGUE:
        return OrielError("internal", str(problem.get("detail", "")))
    if findings:
        return InvalidInput(code, [Finding(entry["at"], entry["message"]) for entry in findings])
    return OrielError(code, str(problem.get("detail", "")), hint=problem.get("hint"))
