"""Validates an unpacked artifact as an RO-Crate, without network: validate_crate.py CRATE PROFILE SEVERITY.

roc-validator fetches the context of RO-Crate when it parses; here the copy that the package `rocrate` carries answers
instead. Exit 1 if a check of that severity fails.
"""
import json
import os
import sys

import rdflib.plugins.parsers.jsonld as parser
import requests
import rocrate
from rdflib.plugins.shared.jsonld import context, util

with open(os.path.join(os.path.dirname(rocrate.__file__), "data", "ro-crate.jsonld")) as file:
    local = json.load(file)
fetch = util.source_to_json
send = requests.Session.send


def offline(source, *rest, **named):
    return (local, None) if "w3id.org/ro/crate" in str(source) else fetch(source, *rest, **named)


def answer(self, request, **named):
    if "w3id.org/ro/crate" not in request.url:
        return send(self, request, **named)
    reply = requests.Response()
    reply.status_code, reply.url, reply.request = 200, request.url, request
    reply._content = json.dumps(local).encode()
    reply.headers["Content-Type"] = "application/ld+json"
    return reply


util.source_to_json = context.source_to_json = offline
if hasattr(parser, "source_to_json"):
    parser.source_to_json = offline
requests.Session.send = answer
try:
    import requests_cache

    requests_cache.CachedSession.send = answer
except ImportError:
    pass

from rocrate_validator import models, services  # noqa: E402

crate, profile, name = sys.argv[1:4]
severity = getattr(models.Severity, name)
result = services.validate(
    services.ValidationSettings(
        rocrate_uri=crate, profile_identifier=profile, requirement_severity=severity, skip_availability_check=True
    )
)
print(profile, name, "passed" if result.passed(severity) else "FAILED", f"{len(result.get_issues())} issues")
for issue in result.get_issues():
    print(" ", issue.severity.name, issue.check.identifier, issue.message[:150], issue.violatingEntity)
sys.exit(0 if result.passed(severity) else 1)
