"""Calls made from the OpenAPI document: none answers 500, and every answer is as the document says."""

from collections import Counter

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

LIMITS = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""What this suite promises. What is refused and what is mended is the business of the other tests."""
KNOWN = {"job_id": "task(known)", "name": "0"}
"""What is put in the place of about half of the names, so that something is there under them."""
ENDLESS = r"/easel/v1/(events|jobs/\{job_id\}/events)"
SMALL = {
    "width": 64,
    "height": 64,
    "firstphase_width": 0,
    "firstphase_height": 0,
    "hr_resize_x": 0,
    "hr_resize_y": 0,
}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
"""One white pixel, PNG."""
FEW = {"steps": 2, "hr_second_pass_steps": 1, "batch_size": 2, "n_iter": 2, "hr_scale": 1.5}


@pytest.fixture(scope="module")
def document(own_address):
    return schemathesis.openapi.from_url(f"{own_address}/openapi.json").exclude(path_regex=ENDLESS)


def bounded(values):
    """The call with sizes, steps and counts that take milliseconds; what is wrong stays wrong."""
    if not isinstance(values, dict):
        return values
    if isinstance(values.get("request"), dict):
        values = {**values, "request": bounded(values["request"])}
    values = {
        name: SMALL[name] if name in SMALL and valid_side(each) else each for name, each in values.items()
    }
    return {
        name: min(each, FEW[name]) if name in FEW and type(each) in (int, float) else each
        for name, each in values.items()
    }


def valid_side(value):
    return type(value) in (int, float) and 64 <= value <= 8192 and value % 8 == 0


def with_small_defaults(values):
    """Sizes that nobody gave would be 512, which takes seconds."""
    return {**SMALL, "steps": 1, **values} if isinstance(values, dict) else values


def send(case):
    """The call, made cheap if it makes pictures, and its answer held against the document."""
    path = case.operation.path
    if path.endswith(("/txt2img", "/img2img")):
        case.body = with_small_defaults(bounded(case.body))
    elif "/easel/v1/jobs" in path and isinstance(case.body, dict) and "request" in case.body:
        case.body = {**case.body, "request": with_small_defaults(bounded(case.body["request"]))}
    elif path.endswith(("/merges", "/conversions")) and isinstance(case.body, dict):
        # Files would be written among the models of the tests.
        case.body = {**case.body, "dry_run": case.body.get("dry_run") or True}
    for name in ("image", "picture"):
        if isinstance(case.body, dict) and len(str(case.body.get(name, ""))) % 2:
            case.body = {**case.body, name: PICTURE}
    for name, known in KNOWN.items():
        if case.path_parameters and len(str(case.path_parameters.get(name, ""))) % 2:
            case.path_parameters[name] = known
    return case.call_and_validate(checks=CHECKS, timeout=120)


def modes(operation):
    """Calls as the document has them; where something can be sent at all, also others."""
    takes = operation.definition.raw
    sent = "requestBody" in takes or takes.get("parameters")
    return (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if sent else (GenerationMode.POSITIVE,)


def try_calls(operation, mode):
    """Calls of `operation` as hypothesis finds them: how often it answered what status."""
    answered = Counter()

    @LIMITS
    @given(case=operation.as_strategy(generation_mode=mode))
    def any_call(case):
        answered[send(case).status_code] += 1

    any_call()
    return answered


def examples(document):
    """(operation, body) for the examples that the document gives for what is sent."""
    schemas = document.raw_schema["components"]["schemas"]
    for found in document.get_all_operations():
        operation = found.ok()
        body = operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None:
            continue
        schema = (
            schemas[body["schema"]["$ref"].split("/")[-1]] if "$ref" in body["schema"] else body["schema"]
        )
        given = schema.get("examples") or [
            {
                name: field["examples"][0]
                for name, field in schema["properties"].items()
                if "examples" in field
            }
        ]
        yield from ((operation, example) for example in given)


def names_something(operation):
    """Whether it is about a job, a network or the like that has to be there."""
    parameters = operation.definition.raw.get("parameters", [])
    return any(each["name"] in KNOWN and each["required"] for each in parameters)


def test_every_body_has_an_example_and_those_that_name_nothing_are_accepted(document, subtests):
    found = list(examples(document))
    assert len(found) >= 10
    for operation, example in found:
        with subtests.test(operation.label):
            assert example
            if not names_something(operation):
                case = operation.Case(body=example, media_type="application/json")
                assert send(case).status_code < 300


@pytest.mark.slow
def test_any_call_is_answered_as_the_document_says(document, own_address, subtests):
    operations = [found.ok() for found in document.get_all_operations()]
    fine = set()
    for operation in operations:
        known = {"request": {**SMALL, "steps": 1, "force_task_id": KNOWN["job_id"]}}
        assert httpx.post(f"{own_address}/easel/v1/jobs", json=known, timeout=60).status_code == 202
        for mode in modes(operation):
            with subtests.test(operation.label, mode=mode.value):
                answered = try_calls(operation, mode)
                if any(status < 300 for status in answered):
                    fine.add(operation.label)
    assert len(operations) > 30
    assert len(fine) > 30, "the calls were too wrong to try much"
