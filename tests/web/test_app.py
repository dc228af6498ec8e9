"""What holds for every page: headers, plain troubles, health."""

from __future__ import annotations

import logging

import pytest

from tests.web.conftest import Site


def test_every_response_bears_the_security_headers(site: Site) -> None:
    key = site.house.touch()
    responses = [
        site.get(key), site.client.post(site.path("answer", key)), site.client.get("/a/forged"),
        site.client.get("/nowhere"), site.client.get("/style.css"),
        site.client.put(site.path("answer", key)), site.get(key, "mine"),
    ]  # fmt: skip
    assert [response.status_code for response in responses] == [200, 303, 404, 404, 200, 405, 200]
    for response in responses:
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        named = ("referrer-policy", "cache-control", "x-content-type-options", "x-frame-options")
        assert [response.headers[name] for name in named] == ["no-referrer", "no-store", "nosniff", "DENY"]
        assert "set-cookie" not in response.headers


def test_a_page_has_neither_script_nor_foreign_address(site: Site) -> None:
    html = site.get(site.house.touch()).text
    assert "<script" not in html
    assert "style=" not in html
    assert {part.split('"')[0].split("/")[2] for part in html.split('="http')[1:]} <= {"127.0.0.1:8080"}


def test_a_defect_of_ours_is_told_plainly_and_bears_the_headers(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    key = site.house.touch()
    with site.house.store.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE answer RENAME TO gone")
    with caplog.at_level(logging.CRITICAL):
        broken = site.post(key)
    assert (broken.status_code, broken.headers["cache-control"]) == (500, "no-store")
    assert "Something went wrong on our side" in broken.text
    assert "Traceback" not in broken.text
