"""Our OpenAPI document beside the recorded one of the field: every shared route takes and answers the same."""

import json

import pytest

LATER_ROUTES = {
    "/sdapi/v1/create/embedding",
    "/sdapi/v1/create/hypernetwork",
    "/sdapi/v1/train/embedding",
    "/sdapi/v1/train/hypernetwork",
}
"""They appear with the work that they are about."""
FREE_FORM = {"Options", "Flags"}
"""Objects of a field for each setting or flag; the values are held against the field's in tests/settings."""


@pytest.fixture(scope="module")
def ours(client):
    return client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def fields(parity_reference):
    return json.loads((parity_reference / "openapi.json").read_text())


@pytest.fixture(scope="module")
def shared(ours, fields):
    pairs = [(path, method) for path, methods in fields["paths"].items() for method in methods]
    return [(path, method) for path, method in pairs if method in ours["paths"].get(path, {})]


def resolved(document, schema):
    """The schema that a reference means; of "this or null", this."""
    while True:
        if "$ref" in schema:
            schema = {
                **document["components"]["schemas"][schema["$ref"].split("/")[-1]],
                **without_ref(schema),
            }
        elif "anyOf" in schema or "allOf" in schema:
            options = [each for each in schema.get("anyOf") or schema["allOf"] if each.get("type") != "null"]
            if len(options) != 1:
                return schema
            schema = {**options[0], **{k: v for k, v in schema.items() if k not in ("anyOf", "allOf")}}
        else:
            return schema


def without_ref(schema):
    return {key: value for key, value in schema.items() if key != "$ref"}


def body(document, path, method):
    content = document["paths"][path][method].get("requestBody", {}).get("content", {})
    return resolved(document, content.get("application/json", {}).get("schema", {}))


def answer(document, path, method):
    content = document["paths"][path][method]["responses"]["200"]["content"]
    return resolved(document, content["application/json"]["schema"])


def differences(fields, theirs, ours, mine, where, request):
    """What the field's schema `theirs` says that `mine` does not."""
    theirs, mine = resolved(fields, theirs), resolved(ours, mine)
    if theirs.get("title") in FREE_FORM:
        return []
    wanted, given = theirs.get("type"), mine.get("type")
    wider = ("integer", "number") if request else ("number", "integer")
    if wanted and given and wanted != given and (wanted, given) != wider:
        return [f"{where} is {given}, the field's is {wanted}"]
    found = []
    if request and "default" in theirs and theirs["default"] != mine.get("default"):
        found.append(f"{where} is by default {mine.get('default')!r}, the field's {theirs['default']!r}")
    if wanted == "array":
        found += differences(
            fields, theirs.get("items", {}), ours, mine.get("items", {}), f"{where}[]", request
        )
    for name, field in theirs.get("properties", {}).items():
        if name not in mine.get("properties", {}):
            found.append(f"{where}.{name} is missing")
        else:
            found += differences(fields, field, ours, mine["properties"][name], f"{where}.{name}", request)
    if not request:
        optional = set(theirs.get("required", [])) - set(mine.get("required", []))
        found += [f"{where}.{name} may be left out" for name in sorted(optional)]
    return found


def test_every_recorded_route_is_there_or_comes_with_later_work(ours, fields):
    assert set(fields["paths"]) - set(ours["paths"]) == LATER_ROUTES


def test_every_shared_route_takes_the_recorded_fields_with_their_defaults(ours, fields, shared):
    assert len(shared) >= 38
    found = []
    for path, method in shared:
        theirs = {each["name"]: each for each in fields["paths"][path][method].get("parameters", [])}
        mine = {each["name"]: each for each in ours["paths"][path][method].get("parameters", [])}
        found += [f"{path} lacks {name}" for name in set(theirs) - set(mine)]
        found += differences(fields, body(fields, path, method), ours, body(ours, path, method), path, True)
    assert found == []


def test_every_shared_route_answers_the_recorded_fields(ours, fields, shared):
    found = []
    for path, method in shared:
        found += differences(
            fields, answer(fields, path, method), ours, answer(ours, path, method), path, False
        )
    assert found == []


def test_flags_are_those_of_the_field_and_more(ours, fields):
    theirs = fields["components"]["schemas"]["Flags"]["properties"]
    mine = ours["components"]["schemas"]["Flags"]["properties"]
    assert set(theirs) <= set(mine)


def test_settings_that_both_have_are_of_one_type(ours, fields):
    theirs = fields["components"]["schemas"]["Options"]["properties"]
    mine = ours["components"]["schemas"]["Options"]["properties"]
    both = set(theirs) & set(mine)
    assert len(both) >= 100
    assert [
        line for name in both for line in differences(fields, theirs[name], ours, mine[name], name, False)
    ] == []


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_is_described(ours):
    for name, operation in operations(ours):
        assert operation.get("summary") and operation.get("description"), name
        assert len(operation["tags"]) == 1, name
    described = {tag["name"] for tag in ours["tags"] if tag.get("description")}
    assert {tag for _, operation in operations(ours) for tag in operation["tags"]} <= described


def test_every_parameter_and_field_that_is_sent_is_described(ours):
    for name, operation in operations(ours):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description") or parameter["schema"].get("description"), (name, parameter)


def test_every_failure_has_the_one_shape(ours):
    for name, operation in operations(ours):
        failures = {status for status in operation["responses"] if int(status) >= 400}
        assert {"401", "403", "500"} <= failures, name
        assert ("requestBody" in operation) <= (failures >= {"400", "413", "422"}), name
        assert ("{" in name) == ("414" in failures), name
        for status in failures:
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema["$ref"].endswith("/ErrorAnswer"), (name, status)
