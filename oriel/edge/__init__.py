"""The UI origin at CloudFront: its headers policy and its functions, from the one definition in `oriel.ui`.

    S3 object            bytes with content type, encoding and `cache-control` (`oriel.ui.object_headers`)
    viewer request       refuses what `oriel.paths` refuses, finds the object, answers navigations with the document
    response headers     the policy, on every answer; `no-store` on those that come without a `cache-control`
    viewer response      `vary`, and no `immutable` on parts

What else the distribution needs, and a template has to say: the S3 origin's policy allows the distribution
`s3:ListBucket`, so that a missing object is 404 and not 403; query strings, headers and cookies are no part of the
cache key, for the functions put the encoding into the object's name; `Compress` is off; errors are cached for 0 s.

Rules kept here:

- Nothing is said twice: the policy is `headers_for`, the paths are `oriel.paths`, the types are `media_type`'s.
- The code is plain for CloudFront's JavaScript runtime 2.0 and stays under its 10,240 bytes.
- Where the origins of the host product are a parameter of the template, `Sources` may hold `${Parameter}` of `Fn::Sub`.
"""

import json
from importlib.resources import files
from typing import Any

from oriel import paths, ui
from oriel.errors import ERROR_DOCS

MAX_FUNCTION_BYTES = 10_240
RUNTIME = "cloudfront-js-2.0"

# What NFKC turns into a dot at the beginning, or into something with a character that no segment may have.
DOT_LIKE = "\u2024\u2025\u2026\ufe19\ufe30\ufe52\uff0e"
FORBIDDEN_LIKE = "\u037e\u2100\u2101\u2105\u2106\ufe14\ufe54\ufe68\ufe6a\uff05\uff0f\uff1b\uff3c"


def response_headers_policy(name: str, sources: ui.Sources) -> dict[str, Any]:
    """`ResponseHeadersPolicyConfig` of `AWS::CloudFront::ResponseHeadersPolicy`."""
    headers = ui.headers_for("problem", sources)
    csp, referrer = headers.pop("content-security-policy"), headers.pop("referrer-policy")
    for said_elsewhere in ("x-content-type-options", "access-control-allow-origin"):
        headers.pop(said_elsewhere)
    cache_control = headers.pop("cache-control")
    custom = [{"Header": key, "Value": value, "Override": True} for key, value in headers.items()]
    return {
        "Name": name,
        "Comment": "Every answer of the origin of Oriel's extension UIs",
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {"ContentSecurityPolicy": csp, "Override": True},
            "ContentTypeOptions": {"Override": True},
            "ReferrerPolicy": {"ReferrerPolicy": referrer, "Override": True},
        },
        "CorsConfig": {
            "AccessControlAllowCredentials": False,
            "AccessControlAllowHeaders": {"Items": ["*"]},
            "AccessControlAllowMethods": {"Items": ["GET", "HEAD"]},
            "AccessControlAllowOrigins": {"Items": ["*"]},
            "OriginOverride": True,
        },
        "CustomHeadersConfig": {
            "Items": [*custom, {"Header": "cache-control", "Value": cache_control, "Override": False}]
        },
    }


def viewer_request_code(sources: ui.Sources) -> str:
    """`FunctionCode` of the function for viewer requests."""
    return _filled(
        "viewer_request.js",
        MAX_PATH=paths.MAX_PATH_BYTES,
        MAX_SEGMENT=paths.MAX_SEGMENT_BYTES,
        MAX_SEGMENTS=paths.MAX_SEGMENTS,
        DOTS=DOT_LIKE,
        FORBIDDEN=FORBIDDEN_LIKE,
        SHRINKING=[suffix for suffix in ui.MEDIA_TYPES if ui.shrinks(f"x{suffix}")],
        DOCS=ERROR_DOCS,
        HEADERS={name: {"value": value} for name, value in ui.headers_for("problem", sources).items()},
    )


def viewer_response_code() -> str:
    """`FunctionCode` of the function for viewer responses."""
    return _filled(
        "viewer_response.js",
        WHOLE=ui.headers_for("asset", _NOBODY)["cache-control"],
        PART=ui.headers_for("part", _NOBODY)["cache-control"],
        SHRINKING=sorted({ui.media_type(f"x{suffix}") for suffix in ui.MEDIA_TYPES if ui.shrinks(f"x{suffix}")}),
    )


_NOBODY = ui.Sources("", ())


def _filled(name: str, **constants: Any) -> str:
    """The code with its constants before it; ASCII throughout."""
    lines = [f"var {key} = {json.dumps(value, separators=(',', ':'))};" for key, value in constants.items()]
    code = files(__package__).joinpath(name).read_text(encoding="ascii")
    return "\n".join([*lines, code])
