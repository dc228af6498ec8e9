import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from commsengine.authoring.people.people_file import load_people
from commsengine.authoring.plan_file import review_plan
from commsengine.authoring.validate import shape
from commsengine.authoring.workspace_file import load_workspace
from commsengine.authoring.yaml_parser import Tree, read_tree
from commsengine.cadence import plan as format_
from commsengine.cadence.people import KNOWN
from commsengine.cadence.plan import Plan, Workspace
from tests.authoring.written import PLAN, write

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", (DOCS / "plan.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_every_example_of_the_plan_reference_is_sound(example: str, tmp_path: Path) -> None:
    """A whole file is read as it is; a part takes the place of that part of a sound plan."""
    if example.startswith("# workspace.yaml"):
        assert load_workspace(write(tmp_path, example, "workspace.yaml")) != Workspace()
        return
    if "audience:" in example and "messages:" in example:
        assert review_plan(write(tmp_path, example), root=tmp_path).errors == ()
        return
    part, whole = read_tree(write(tmp_path, example)), read_tree(write(tmp_path, PLAN))
    shaped = shape(Tree("plan.md", "", whole.data | part.data, whole.values | part.values), Plan, {})
    assert (part.problems, shaped.problems) == ([], [])


def test_the_plan_reference_names_every_key_of_the_format() -> None:
    text = (DOCS / "plan.md").read_text()
    kinds = [
        kind
        for kind in vars(format_).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not format_.Notice
    ]
    keys = {field.alias or name for kind in kinds for name, field in kind.model_fields.items()}
    unsaid = {key for key in keys - {"columns", "first", "last"} if not re.search(rf"\b{key}\b", text)}
    assert unsaid == set()


def test_the_people_reference_names_every_column_and_its_example_is_read(tmp_path: Path) -> None:
    text = (DOCS / "people.md").read_text()
    assert [column for column in KNOWN if f"`{column}`" not in text] == []
    example = re.search(r"```csv\n(.*?)```", text, re.DOTALL)
    assert example is not None
    found = load_people(write(tmp_path, example[1], "people.csv"))
    assert (len(found.people), found.rejected) == (2, ())
