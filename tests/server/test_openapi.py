"""The description of the interface is valid, names every route, and what is answered fits it."""

import json

import pytest
from prose import passages as prose_of

from ghostbuster.report.formats.verdicts import CSV_COLUMNS
from ghostbuster.server.app import PROGRAMS, ROUTES
from ghostbuster.server.interface.openapi import DOCUMENT
from ghostbuster.server.interface.verdicts import BY_KIND
from ghostbuster.server.limits import Limits

TEXT = prose_of(1, 60)[0]


def schema_of(name):
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def fits(value, name):
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    jsonschema.Draft202012Validator(schema_of(name)).validate(value)


def test_it_is_openapi():
    validator = pytest.importorskip("openapi_spec_validator", reason="pip install openapi-spec-validator")
    validator.validate(DOCUMENT)


def test_it_is_what_the_server_gives(server):
    assert server.request("GET", "/openapi.json").json() == DOCUMENT


def test_it_names_every_route_for_programs_and_no_other():
    routes = {(method, path) for method, path, _ in ROUTES if path.startswith(PROGRAMS)}
    listed = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert listed == routes - {("GET", "/openapi.json")}


def test_it_names_every_kind_of_body_and_the_limits_that_hold():
    operation = DOCUMENT["paths"]["/v1/verdicts"]["post"]
    assert set(operation["requestBody"]["content"]) == set(BY_KIND)
    many = DOCUMENT["components"]["schemas"]["ManyTexts"]
    assert many["properties"]["texts"]["maxItems"] == Limits().texts


def test_a_verdict_has_the_documented_fields():
    schema = DOCUMENT["components"]["schemas"]["Verdict"]
    assert schema["required"] == [*CSV_COLUMNS, "threshold", "readers", "evidence"]
    assert [*schema["required"], "parts"] == list(schema["properties"])


def test_answers_fit_it(server):
    verdict = server.post_json({"text": TEXT}).json()
    assert set(verdict) == set(DOCUMENT["components"]["schemas"]["Verdict"]["required"])
    fits(verdict, "Verdict")
    fits(server.post_json({"text": "short"}).json(), "Verdict")
    lines = server.request(
        "POST", "/v1/verdicts", json.dumps(TEXT) + "\n3", {"Content-Type": "application/x-ndjson"}
    )
    good, bad = (json.loads(line) for line in lines.body.splitlines())
    fits(good, "Verdict")
    fits(bad, "Unread")
    for answer in (server.post_json({"text": 3}), server.request("GET", "/v1/nothing")):
        fits(answer.json(), "Problem")
        assert str(answer.status) in {*DOCUMENT["paths"]["/v1/verdicts"]["post"]["responses"], "404"}


@pytest.mark.parametrize(
    ("name", "body", "fine"),
    [
        ("OneText", {"text": "a", "path": "b", "max_fpr": 0.01}, True),
        ("OneText", {"text": 1}, False),
        ("OneText", {"text": "a", "other": 1}, False),
        ("ManyTexts", {"texts": ["a", {"text": "b", "path": "c"}]}, True),
        ("ManyTexts", {"texts": []}, False),
        ("ManyTexts", {"texts": [1]}, False),
    ],
)
def test_bodies_fit_it_exactly_when_they_are_taken(server, name, body, fine):
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
    found = jsonschema.Draft202012Validator(schema_of(name)).is_valid(body)
    assert found is fine is (server.post_json(body).status == 200)
