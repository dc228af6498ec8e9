"""The line to the mail server fails: a black hole, a trickle, stalls and breaks, no name. Nobody misses a message."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from commsengine.channels.channel import RETRY, SENT, UNCERTAIN
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.wiring import Wiring
from tests.faults.killer import Killer
from tests.faults.office import CONNECTIONS, impatient, later
from tests.faults.proxy import Choice, Fault, Proxy, after_bytes, at, bad_line
from tests.faults.witness import SILENCE, Rule, SmtpWitness, smtp_witness
from tests.servers import a_mail
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program
from tests.waiting import PATIENCE, expect, wait_until


def everybody_once(program: Program, witness: SmtpWitness, people: int) -> None:
    assert witness.copies == dict.fromkeys(addresses(people), 1)
    verdict = Killer(program, witness, "crm", addresses(people)).verdict()
    assert (verdict.broken, verdict.states) == ((), (("sent", people),))


@pytest.mark.slow
def test_f16_a_black_hole_costs_one_try_per_connection(program: Program, witness: SmtpWitness) -> None:
    """Half a second stands for the thirty that the channel waits for a connection."""
    start_for(program, 300)
    witness.behave(Rule("connect", SILENCE))
    wiring = Wiring(program.folder)
    with program.environment(), wiring, impatient(wiring, connect_timeout=0.5) as engine:
        engine.tick()
        assert "does not answer in time" in engine.shut_channels()["email"][1]
        assert 1 <= witness.connections <= CONNECTIONS
        assert wiring.store.touches.open_rows() == []
    assert inspect.signature(EmailChannel).parameters["connect_timeout"].default == 30.0
    witness.behave()
    later(program, 1)
    everybody_once(program, witness, 300)


def test_f17_over_a_trickle_it_goes_on_and_nobody_gets_it_twice(program: Program, witness: SmtpWitness) -> None:
    """All connections share 40 kilobytes a second; ``benchmarks/faults`` does it at ten kilobits."""
    start_for(program, 16)
    witness.behave(bytes_per_second=40_000)
    began = time.monotonic()
    program.here("tick")
    assert time.monotonic() - began > 16 * 5_000 / 40_000
    everybody_once(program, witness, 16)


def test_f18_a_line_that_stalls_and_breaks_is_got_over(program: Program, witness: SmtpWitness) -> None:
    """One step in ten stalls, as lost packets make it, and one in fifty breaks; no kernel module is needed for that."""
    people = 60
    with Proxy(witness.port, bad_line(seed=3, stalls=0.1, seconds=0.05, resets=0.02)) as proxy:
        bad = replace(program, settings={**program.settings, **proxy.settings})
        start_for(bad, people)
        for minutes in (0, 2, 8, 14):
            later(bad, minutes)
        assert proxy.faults > 20
    verdict = Killer(program, witness, "crm", addresses(people)).verdict()
    assert verdict.broken == ()
    assert dict(verdict.states)["sent"] + verdict.uncertain == people
    assert verdict.uncertain <= 2
    assert set(witness.copies) == set(addresses(people))


def test_f19_a_name_that_is_not_found_is_told_once_and_tried_again(program: Program, witness: SmtpWitness) -> None:
    start_for(program, 20)
    nowhere = {"COMMSENGINE_SMTP_URL": "smtp://relay.invalid:25?tls=off", "RES_OPTIONS": "timeout:1 attempts:1"}
    lost = replace(program, settings={**program.settings, **nowhere})
    with lost.running("run") as process:
        assert wait_until(lambda: program.look("status")["engine"]["resting"], step=0.5)
        (rest,) = program.look("status")["engine"]["resting"]
        assert (rest["channel"], rest["because"]) == ("email", "the name relay.invalid cannot be found")
        process.terminate()
        _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    assert log.count("channel_shut") == 1
    assert "Traceback" not in log
    assert program.books("crm").rows == []
    later(program, 1)
    everybody_once(program, witness, 20)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpWitness]:
    """One for all that only look at a single conversation."""
    with smtp_witness(tmp_path_factory.mktemp("relay")) as witness:
        yield witness


BEFORE_THE_DOT = [at("connect", Fault("reset")), *(at(step, Fault("cut")) for step in ("mail", "rcpt", "data", "body"))]


@pytest.mark.parametrize(
    ("choose", "verdict", "arrived"),
    [
        *((choose, RETRY, 0) for choose in BEFORE_THE_DOT),
        (at("body", Fault("reset", after=100)), RETRY, 0),
        (after_bytes(400, Fault("cut")), RETRY, 0),
        (at("rcpt", Fault("half-open")), RETRY, 0),
        (at("dot", Fault("cut")), UNCERTAIN, 0),
        (at("dot", Fault("half-open")), UNCERTAIN, 0),
        (at("reply", Fault("reset")), UNCERTAIN, 1),
        (at("reply", Fault("delay", 0.3)), SENT, 1),
    ],
)
def test_f09_where_the_line_breaks_says_what_is_known(
    choose: Choice, verdict: str, arrived: int, relay: SmtpWitness
) -> None:
    """Before the final dot the message is certainly still ours; from the dot on, only an answer tells."""
    before = len(relay.arrivals())
    with Proxy(relay.port, choose) as proxy:
        server = SmtpServer("127.0.0.1", proxy.port, "off")
        channel = EmailChannel(server, "mia@example.com", connect_timeout=2, reply_timeout=1.5, dot_timeout=3.0)

        def mark(keys: Sequence[str]) -> Sequence[str]:
            """Takes its time, as a disk may: a break of the body is noticed by then."""
            if verdict == RETRY:
                expect(lambda: proxy.faults)
            time.sleep(0.3)
            return keys

        (outcome,) = channel.deliver([a_mail()], mark)
        channel.close()
    assert (outcome.verdict, len(relay.arrivals()) - before) == (verdict, arrived)
