"""The 44 bad inputs: what people write, name or set wrongly, and what they are told. Each has a number and a name."""

from __future__ import annotations

from tests.faults.bad_inputs.case import BadInput
from tests.faults.bad_inputs.operation import OPERATION
from tests.faults.bad_inputs.people import PEOPLE
from tests.faults.bad_inputs.plans import PLANS

BAD_INPUTS: tuple[BadInput, ...] = (*PLANS, *PEOPLE, *OPERATION)
