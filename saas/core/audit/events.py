"""The closed vocabulary of the audit trail: an act that is not named here cannot be recorded, so is not done."""

from __future__ import annotations

import enum


class Event(enum.StrEnum):
    """``subject.past_participle``; add a line here with the service that records it."""

    # accounts
    SIGNED_IN = "account.signed_in"
    SIGN_IN_FAILED = "account.sign_in_failed"
    SIGNED_OUT = "account.signed_out"
    LOCKED = "account.locked"
    UNLOCKED = "account.unlocked"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105
    PASSWORD_RESET = "account.password_reset"  # noqa: S105
    SECOND_FACTOR_ADDED = "account.second_factor_added"
    SECOND_FACTOR_REMOVED = "account.second_factor_removed"
    SESSION_ENDED = "account.session_ended"
    ROLE_GRANTED = "account.role_granted"
    ROLE_REVOKED = "account.role_revoked"
    ACCESS_DENIED = "access.denied"
    # organisation
    UNIT_CHANGED = "organisation.unit_changed"
    POST_CHANGED = "organisation.post_changed"
    PERSON_CHANGED = "organisation.person_changed"
    APPOINTMENT_CHANGED = "organisation.appointment_changed"
    WORKBOOK_IMPORTED = "organisation.workbook_imported"
    WORKBOOK_EXPORTED = "organisation.workbook_exported"
    # approvals
    FLOW_PUBLISHED = "flow.published"
    FLOW_RETIRED = "flow.retired"
    FLOW_STARTED = "flow.started"
    TASK_ACTED = "task.acted"
    FLOW_FINISHED = "flow.finished"
    FLOW_TERMINATED = "flow.terminated"
    FLOW_INTERVENED = "flow.intervened"
    FLOW_STUCK = "flow.stuck"
    TASK_READ = "task.read"
    TASK_OVERDUE = "task.overdue"
    DELEGATION_CHANGED = "delegation.changed"
    # documents
    DOCUMENT_DRAFTED = "document.drafted"
    DOCUMENT_CHANGED = "document.changed"
    DOCUMENT_SUBMITTED = "document.submitted"
    DOCUMENT_SIGNED_OFF = "document.signed_off"
    DOCUMENT_NUMBERED = "document.numbered"
    NUMBER_VOIDED = "number.voided"
    NUMBER_BOOK_CHANGED = "number.book_changed"
    DOCUMENT_RENDERED = "document.rendered"
    DOCUMENT_DISCARDED = "document.discarded"
    DOCUMENT_DOWNLOADED = "document.downloaded"
    DOCUMENT_LOADED = "document.loaded"
    DOCUMENT_REGISTERED = "document.registered"
    # seals
    SEAL_CREATED = "seal.created"
    SEAL_STAMPING = "seal.stamping"
    SEAL_STAMPED = "seal.stamped"
    SEAL_REFUSED = "seal.refused"
    SEAL_STOPPED = "seal.stopped"
    SEAL_REVOKED = "seal.revoked"
    # exchange
    DOCUMENT_SENT = "document.sent"
    DOCUMENT_DELIVERED = "document.delivered"
    DOCUMENT_SIGNED_FOR = "document.signed_for"
    DOCUMENT_RETURNED = "document.returned"
    DOCUMENT_UNDELIVERED = "document.undelivered"
    # archive, regulations, search
    RECORD_ASKED_FOR = "record.asked_for"
    RECORD_FILED = "record.filed"
    RECORD_REFUSED = "record.refused"
    RECORD_READ = "record.read"
    REGULATIONS_LOADED = "regulations.loaded"
    LIST_EXPORTED = "list.exported"
    # keys, files, jobs
    KEYS_CREATED = "keys.created"
    KEYS_DESTROYED = "keys.destroyed"
    FILE_STORED = "file.stored"
    FILES_SWEPT = "file.swept"
    FILE_DAMAGED = "file.damaged"
    JOB_REPEATED = "job.repeated"
    AUDIT_READ = "audit.read"
    AUDIT_CONTINUED = "audit.continued"
    # tenancy (cell's and management's own trails)
    BUREAU_REQUESTED = "bureau.requested"
    BUREAU_CREATED = "bureau.created"
    BUREAU_SUSPENDED = "bureau.suspended"
    BUREAU_RESUMED = "bureau.resumed"
    APPEARANCE_CHANGED = "bureau.appearance_changed"
    BUREAU_MIGRATED = "bureau.migrated"
    COMMAND_REFUSED = "command.refused"
