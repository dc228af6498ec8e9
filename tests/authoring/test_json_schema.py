from commsengine.authoring.json_schema import plan_schema
from commsengine.cadence.plan import Message, Plan


def test_the_schema_knows_the_keys_that_authors_write() -> None:
    schema = plan_schema()
    assert list(schema["properties"]) == [name for name in Plan.model_fields if name != "translations"]
    written = {field.alias or name for name, field in Message.model_fields.items()}
    assert set(schema["$defs"]["Message"]["properties"]) == written
    assert schema["$defs"]["Message"]["additionalProperties"] is False


def test_the_schema_allows_the_short_forms() -> None:
    kinds = plan_schema()["$defs"]
    assert kinds["Milestone"]["anyOf"][0]["type"] == "string"
    assert "columns" not in kinds["Role"]["properties"]
    assert kinds["Role"]["additionalProperties"]["anyOf"][0] == {"type": "string"}


def test_the_schema_explains_each_key_of_the_plan() -> None:
    assert [name for name, rule in plan_schema()["properties"].items() if "description" not in rule] == []
