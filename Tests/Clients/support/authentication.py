"""What the two files about authentication share."""
from __future__ import annotations

from support.node import MARKER

INVALID_SIGNATURE = "InvalidSignatureException"
INCOMPLETE = "IncompleteSignatureException"
UNKNOWN_KEY = "UnrecognizedClientException"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
    "method. Consult the service documentation for details."
)
INVALID_TOKEN = "The security token included in the request is invalid"


def ask(node, request):
    """The answer; no refusal may hold a secret value."""
    answer = node.send(request.render())
    assert answer.status == 200 or MARKER.encode() not in answer.body
    return answer
