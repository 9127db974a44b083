"""Log records without secrets, wherever they are made and whoever handles them."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flownb.services.masking import Masker


def mask_log_records(masker: Masker) -> None:
    """From now on, no log record of this process has a secret of `masker` in its message or its traceback.

    A handler is whatever the program has chosen, a file or a service far away; so it is the record that is masked,
    where all of them are made.
    """
    make = logging.getLogRecordFactory()

    def masked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            _mask(record, masker)
        except Exception:  # noqa: BLE001  a bad format string is reported by the handler, as without us
            record.args = masker.plain(record.args) if isinstance(record.args, tuple) else record.args
        return record

    logging.setLogRecordFactory(masked)


def _mask(record: logging.LogRecord, masker: Masker) -> None:
    message = record.getMessage()
    shown = masker.text(message)
    if shown is not message:
        record.msg, record.args = shown, None
    if record.exc_info and record.exc_info[1] is not None:
        text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        masked = masker.text(text)
        if masked is not text:
            record.exc_text = masked  # what formatters take instead of making it themselves
    if record.stack_info:
        record.stack_info = masker.text(record.stack_info)
