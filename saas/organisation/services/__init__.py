"""Writes of the organisation: each act authorised by its route, atomic, audited, and told to who follows changes."""

from saas.organisation.services.appointments import appointment_begin, appointment_change, appointment_end
from saas.organisation.services.people import (
    OpenedAccount,
    person_change,
    person_create,
    person_deactivate,
    person_link_account,
    person_open_account,
    person_reactivate,
)
from saas.organisation.services.posts import post_change, post_create, post_deactivate, post_reactivate
from saas.organisation.services.units import (
    Shift,
    unit_change,
    unit_create,
    unit_deactivate,
    unit_move,
    unit_reactivate,
    unit_save,
    unit_shift,
)

__all__ = [
    "OpenedAccount",
    "Shift",
    "appointment_begin",
    "appointment_change",
    "appointment_end",
    "person_change",
    "person_create",
    "person_deactivate",
    "person_link_account",
    "person_open_account",
    "person_reactivate",
    "post_change",
    "post_create",
    "post_deactivate",
    "post_reactivate",
    "unit_change",
    "unit_create",
    "unit_deactivate",
    "unit_move",
    "unit_reactivate",
    "unit_save",
    "unit_shift",
]
