"""Writes of the engine: the only way for the rest of the product to start and move flows."""

from saas.approvals.engine.commands import Act
from saas.approvals.registry import Subject
from saas.approvals.services.acting import ActResult, Target, act, withdraw
from saas.approvals.services.administering import (
    flow_move,
    node_pass,
    node_retry,
    resume,
    suspend,
    task_reassign,
)
from saas.approvals.services.filling import FormInput
from saas.approvals.services.flows import (
    flow_create,
    flow_draft_save,
    flow_install,
    flow_publish,
    flow_retire,
)
from saas.approvals.services.starting import remind, resubmit, start_flow, subject_describe, terminate

__all__ = [
    "Act",
    "ActResult",
    "FormInput",
    "Subject",
    "Target",
    "act",
    "flow_create",
    "flow_draft_save",
    "flow_install",
    "flow_move",
    "flow_publish",
    "flow_retire",
    "node_pass",
    "node_retry",
    "remind",
    "resubmit",
    "resume",
    "start_flow",
    "subject_describe",
    "suspend",
    "task_reassign",
    "terminate",
    "withdraw",
]
