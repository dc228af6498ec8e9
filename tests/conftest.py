"""Fixtures of the whole suite: the system's browser, driven for real."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Page, sync_playwright

from commsengine.interpreter import prepare_for_work
from tests import fresh
from tests.fork_server import close_fork_server, open_fork_server
from tests.shared_sql import share_compiled_sql
from tests.waiting import PATIENCE

TESTS = Path(__file__).parent

# No example fails because the machine is slow. Many more are tried by: make faults
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=15)
settings.register_profile("deep", settings.get_profile("suite"), max_examples=1000)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="what the tests run on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked ``both_databases`` runs on each."""
    if metafunc.definition.get_closest_marker("both_databases"):
        chosen = metafunc.config.getoption("--database")
        kinds = ("sqlite", "postgresql") if chosen == "sqlite" else (chosen,)
        metafunc.parametrize("kind_of_database", kinds, indirect=True)


@pytest.fixture(autouse=True)
def kind_of_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where ``tests.fresh`` makes the databases of this test."""
    kind = getattr(request, "param", request.config.getoption("--database"))
    with fresh.databases_on(kind), fresh.SERVER.given_back_afterwards():
        yield


def pytest_configure(config: pytest.Config) -> None:
    """No test writes into the state folder of whoever runs it, in this process or in one that it starts."""
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="state-")
    fresh.begin_with(config.getoption("--database"))
    share_compiled_sql()
    open_fork_server()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """As in an engine at work: what the suite has loaded by then is not walked through again and again."""
    gc.disable()
    try:
        load_in_turn(session.config)
        return (yield)
    finally:
        gc.enable()
        prepare_for_work()


def load_in_turn(config: pytest.Config) -> None:
    """Workers that all load the whole suite begin with different files: what one has compiled, the others find."""
    worker = getattr(config, "workerinput", None)
    if worker is None or [Path(each).resolve() for each in config.args] != [TESTS]:
        return
    files = sorted(TESTS.rglob("test_*.py"))
    first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for file in files[first:] + files[:first]:
        with suppress(Exception):  # what is wrong with a file is said when it is collected
            importlib.import_module(".".join(file.relative_to(TESTS.parent).with_suffix("").parts))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What a command of an earlier test in this process logs less of is logged again."""
    structlog.reset_defaults()


def pytest_unconfigure() -> None:
    close_fork_server()
    fresh.SERVER.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What starts processes takes longest, so it begins first: the last minutes are not one worker's alone."""
    for item in items:
        mark = item.get_closest_marker("sqlite")
        if mark and config.getoption("--database") == "postgresql":
            item.add_marker(pytest.mark.skip(reason=f"about SQLite: {mark.args[0]}"))
    items.sort(key=lambda item: not {"stories", "faults"} & set(item.path.parts))


QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def _chromium() -> str:
    """The system's chromium. Without one the test is skipped, or fails where ``REQUIRE_BROWSER`` is set."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found:
        return found
    reason = "no chromium on this machine; install the package 'chromium' to run the browser tests"
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = _chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a context of its own: no cookie survives a test."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account of this machine may enter and read, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def as_stranger() -> Iterator[Callable[[], None]]:
    """From its call on, files of mode 0 cannot be read: root gives up its rights until the test is over."""
    was = os.geteuid()
    yield lambda: os.seteuid(was or 65534)
    os.seteuid(was)
