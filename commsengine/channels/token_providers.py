"""Access tokens from Microsoft and from Google, by their own libraries, which are extras."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commsengine.cadence.kinds_and_states import Fault
from commsengine.channels.access_tokens import AccessToken, Fetch, TokenError, in_one_line

MICROSOFT_SCOPE = "https://outlook.office365.com/.default"
GOOGLE_SCOPE = "https://mail.google.com/"
MICROSOFT_AUTHORITY = "https://login.microsoftonline.com"

_GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_AADSTS = re.compile(r"AADSTS\d+")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_TIMEOUT = 30.0  # seconds


def by_microsoft(tenant: str, client_id: str, credential: str | Path, authority: str = MICROSOFT_AUTHORITY) -> Fetch:
    """As an application. ``credential`` is its secret, or the PEM file of its certificate and key."""

    def fetch(now: dt.datetime) -> AccessToken:
        msal, requests = library("msal", "microsoft"), library("requests", "microsoft")
        try:
            application = msal.ConfidentialClientApplication(
                client_id,
                client_credential=_certificate(credential) if isinstance(credential, Path) else credential,
                authority=f"{authority}/{tenant}",
                instance_discovery=False,
                timeout=_TIMEOUT,
            )
            answer = application.acquire_token_for_client(scopes=[MICROSOFT_SCOPE])
        except requests.RequestException as error:
            raise _unreachable("Microsoft", error) from None
        except ValueError as error:  # the tenant's own page is not there, or the certificate cannot be used
            raise _microsoft_refuses(f"{error.__context__ or error}") from None
        if "access_token" not in answer:
            raise _microsoft_refuses(f"{answer.get('error_description') or answer.get('error')}")
        return AccessToken.of(answer["access_token"], now + dt.timedelta(seconds=float(answer["expires_in"])), now)

    return fetch


def by_google(credentials: Path, subject: str) -> Fetch:
    """As a service account that acts for ``subject``, or with the refresh token of a user, as the JSON file says."""

    def fetch(now: dt.datetime) -> AccessToken:
        transport = library("google.auth.transport.requests", "google")
        errors = library("google.auth.exceptions", "google")
        try:
            granted = _google_credentials(_read_json(credentials), subject, credentials)
            granted.refresh(transport.Request())
        except errors.TransportError as error:
            raise _unreachable("Google", error) from None
        except errors.RefreshError as error:
            said = in_one_line(str(error.args[0]) if error.args else "")
            fault: Fault = "later" if error.retryable else "us"
            raise TokenError(f"Google gives no token: {said}", fault, said.partition(":")[0]) from None
        except (ValueError, KeyError) as error:  # GoogleAuthError for a key that cannot be read is a ValueError
            raise TokenError(f"{credentials} cannot be used: {in_one_line(str(error))}", code="file") from None
        ends_at = granted.expiry.replace(tzinfo=dt.UTC) if granted.expiry else None
        return AccessToken.of(granted.token, ends_at, now)

    return fetch


def library(name: str, extra: str) -> Any:
    """The module. Raises ``TokenError`` with the command that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        because = f"a library is not installed that the log-in needs: pip install 'commsengine[{extra}]'"
        raise TokenError(because, code="library") from None


def _microsoft_refuses(said: str) -> TokenError:
    found = _AADSTS.search(said)
    words = said[found.start() :].partition("Trace ID")[0] if found else said
    return TokenError(f"Microsoft gives no token: {in_one_line(words)}", code=found[0] if found else "")


def _unreachable(whom: str, error: Exception) -> TokenError:
    return TokenError(f"{whom}'s log-in cannot be reached ({type(error).__name__})", "later", "unreachable")


def _certificate(path: Path) -> dict[str, str]:
    text = _text(path)
    key, certificate = _KEY.search(text), _CERTIFICATE.search(text)
    if not key or not certificate:
        raise TokenError(f"{path} must hold both the certificate and its private key, as PEM", code="file")
    return {"private_key": key[0], "public_certificate": certificate[0]}


def _google_credentials(given: Mapping[str, Any], subject: str, path: Path) -> Any:
    if given.get("type") == "service_account":
        account = library("google.oauth2.service_account", "google").Credentials
        return account.from_service_account_info(given, scopes=[GOOGLE_SCOPE], subject=subject)
    if given.get("refresh_token"):
        user = library("google.oauth2.credentials", "google").Credentials
        named = {name: given[name] for name in ("refresh_token", "client_id", "client_secret")}
        return user(token=None, token_uri=given.get("token_uri", _GOOGLE_TOKEN_URI), **named)
    because = f"{path} is neither the key of a service account nor an authorized user with a refresh token"
    raise TokenError(because, code="file")


def _read_json(path: Path) -> Mapping[str, Any]:
    found = json.loads(_text(path))
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise TokenError(f"{path} cannot be read: {why}", code="file") from None
