"""Signature Version 4 by hand, so that every part of it can be made wrong on purpose.

`test_auth.py` checks this signer against botocore's own.
"""
from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Optional, Sequence
from urllib.parse import quote

JSON_1_1 = "application/x-amz-json-1.1"



def amz_date(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


@dataclass
class SignedRequest:
    """One request, part by part: change what you like before `render`."""

    method: str
    target: str
    headers: list  # of (name, value), in wire order
    body: bytes

    def render(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + self.body

    def header(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name.lower())

    def with_header(self, name: str, value: str) -> "SignedRequest":
        """The same, one header's value replaced (the signature stays as it was)."""
        headers = [(key, value if key.lower() == name.lower() else old) for key, old in self.headers]
        return replace(self, headers=headers)

    def with_added(self, name: str, value: str) -> "SignedRequest":
        return replace(self, headers=self.headers + [(name, value)])

    def without(self, name: str) -> "SignedRequest":
        return replace(self, headers=[(key, value) for key, value in self.headers if key.lower() != name.lower()])


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()


@lru_cache(maxsize=64)
def signing_key(secret: str, date: str, region: str, service: str, terminator: str = "aws4_request") -> bytes:
    key = _hmac(("AWS4" + secret).encode("utf-8"), date)
    for part in (region, service, terminator):
        key = _hmac(key, part)
    return key


@dataclass(frozen=True)
class Signer:
    """Signs for one access key. `skew` moves its clock."""

    access_key_id: str
    secret_access_key: str
    region: str
    service: str = "secretsmanager"
    terminator: str = "aws4_request"
    algorithm: str = "AWS4-HMAC-SHA256"
    skew: timedelta = field(default=timedelta())
    scope_date: Optional[str] = None  # other than the date of the request

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.skew

    def sign(
        self,
        operation: Optional[str],
        body: bytes,
        *,
        host: str,
        method: str = "POST",
        path: str = "/",
        query: str = "",
        date: Optional[str] = None,
        content_type: Optional[str] = JSON_1_1,
        signed: Sequence[tuple] = (),
        unsigned: Sequence[tuple] = (),
        leave_unsigned: Sequence[str] = (),
        payload_hash: Optional[str] = None,
        connection: Optional[str] = None,
    ) -> SignedRequest:
        """`signed` and `unsigned` are more headers; `leave_unsigned` names usual ones that are sent but not signed."""
        date = amz_date(self.now()) if date is None else date
        headers = [("Host", host)]
        if content_type is not None:
            headers.append(("Content-Type", content_type))
        headers.append(("X-Amz-Date", date))
        if operation is not None:
            headers.append(("X-Amz-Target", f"secretsmanager.{operation}"))
        headers += list(signed)
        to_sign = sorted(
            ((name.lower(), " ".join(value.split())) for name, value in headers if name.lower() not in leave_unsigned),
            key=lambda pair: pair[0],
        )
        names = ";".join(name for name, _ in to_sign)
        canonical = "\n".join(
            [method, path, query]
            + [f"{name}:{value}" for name, value in to_sign]
            + ["", names, payload_hash or hashlib.sha256(body).hexdigest()]
        )
        day = self.scope_date or date[:8]
        scope = f"{day}/{self.region}/{self.service}/{self.terminator}"
        text = "\n".join([self.algorithm, date, scope, hashlib.sha256(canonical.encode("utf-8")).hexdigest()])
        key = signing_key(self.secret_access_key, day, self.region, self.service, self.terminator)
        authorization = (
            f"{self.algorithm} Credential={self.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={hmac.new(key, text.encode('utf-8'), hashlib.sha256).hexdigest()}"
        )
        headers += list(unsigned)
        headers.append(("Authorization", authorization))
        if connection is not None:
            headers.append(("Connection", connection))
        headers.append(("Content-Length", str(len(body))))
        target = path if not query else f"{path}?{query}"
        return SignedRequest(method, target, headers, body)

    def presign(self, operation: str, body: bytes, *, host: str, expires: int = 60) -> SignedRequest:
        """The signature in the query string."""
        date = amz_date(self.now())
        scope = f"{date[:8]}/{self.region}/{self.service}/{self.terminator}"
        signed_headers = {"content-type": JSON_1_1, "host": host, "x-amz-target": f"secretsmanager.{operation}"}
        names = ";".join(sorted(signed_headers))
        parameters = {
            "X-Amz-Algorithm": self.algorithm,
            "X-Amz-Credential": f"{self.access_key_id}/{scope}",
            "X-Amz-Date": date,
            "X-Amz-Expires": str(expires),
            "X-Amz-SignedHeaders": names,
        }
        query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
        canonical = "\n".join(
            ["POST", "/", query]
            + [f"{name}:{signed_headers[name]}" for name in sorted(signed_headers)]
            + ["", names, hashlib.sha256(body).hexdigest()]
        )
        text = "\n".join([self.algorithm, date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = signing_key(self.secret_access_key, date[:8], self.region, self.service, self.terminator)
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        headers = [
            ("Host", host),
            ("Content-Type", JSON_1_1),
            ("X-Amz-Target", f"secretsmanager.{operation}"),
            ("Content-Length", str(len(body))),
        ]
        return SignedRequest("POST", f"/?{query}&X-Amz-Signature={signature}", headers, body)
