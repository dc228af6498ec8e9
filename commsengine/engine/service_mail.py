"""Mail that is not a touch (digest, answer, correction): a finished message, kept in its row until it leaves."""

from __future__ import annotations
