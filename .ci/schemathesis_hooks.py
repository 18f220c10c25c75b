"""What Schemathesis is told of MyEvents beyond the OpenAPI documents: rules that no schema can say, and faults for the test of the test."""
import datetime, os, unicodedata

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

BLANK = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"


def instant(text):
    return datetime.datetime.fromisoformat(text)


def at(body, path):
    for key in path.replace("]", "").replace("[", ".").split("."):
        body = body[int(key)] if key.isdigit() else body[key]
    return body


# A request that keeps the schema may be a 422 for these reasons, and only if they are true of it: what the answer says of a field, and
# whether that is so.
EXCEPTIONS = {
    # A schema knows no other locations than those in a list.
    "there is no such location": lambda body, field: field == "location_id" and body[field],
    # A schema cannot compare two fields.
    "must be after start_date": lambda body, field: instant(body["end_date"]) <= instant(body["start_date"]),
    # Not every reader of a schema knows the classes of Unicode in a regular expression.
    "must hold a visible character": lambda body, field: not any(
        unicodedata.category(c)[0] in "LNPS" and c not in BLANK for c in at(body, field)
    ),
    # The key was used before, for another number of seats: a schema knows no other requests.
    "this key has booked another event": lambda body, field: field == "Idempotency-Key",
}


def is_excepted(case, error):
    reasons = (true for words, true in EXCEPTIONS.items() if error["detail"].startswith(words))
    return any(true(case.body, error["field"]) for true in reasons)


@schemathesis.check
def valid_data_is_accepted(ctx, response, case):
    if response.status_code == 422 and all(is_excepted(case, error) for error in response.json()["errors"]):
        return
    positive_data_acceptance(ctx, response, case)


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Most events that are asked for are one that is there: else nearly every booking would be a 404, whatever is in it."""
    path = case.meta.components.get(ParameterLocation.PATH)
    if case.operation.path.startswith("/events/{id}") and path and path.mode.is_positive:
        if not str(case.path_parameters["id"]).endswith("0"):
            case.path_parameters["id"] = os.environ["EVENT"]


# --- faults ----------------------------------------------------------------------------------------------------------


def document(path, value):
    """Another value at a place of the document."""

    def change(api):
        *above, last = (int(key) if key == "1" else key for key in path.split(" "))
        for key in above:
            api = api[key]
        api.pop(last) if value is None else api.__setitem__(last, value)

    return change


def answer(when, **changes):
    """Answers of this status are others."""

    def change(response):
        if response.status_code == when:
            for name, value in changes.items():
                setattr(response, name, value)

    return change


BODY = "components schemas BookingBody properties"
BOOKINGS = "paths /events/{id}/bookings post"
DOCUMENT = {
    "seats may be 0": document(f"{BODY} seats minimum", 0),
    "users may be empty": document(f"{BODY} user_id minLength", 0),
    "users may have control characters": document(f"{BODY} user_id pattern", None),
    "users have 50 characters": document(f"{BODY} user_id maxLength", 50),
    "seats are texts": document(f"{BODY} seats type", "string"),
    "any key will do": document(f"{BOOKINGS} parameters 1 schema pattern", None),
    "the user must be named": document("components schemas BookingBody required", ["seats", "user_id"]),
    "nothing is invalid": document(f"{BOOKINGS} responses 422", None),
    "bookings have a colour": document("components schemas Booking required", ["colour"]),
}
ANSWER = {
    "it fails": answer(201, status_code=500),
    "it takes everything": answer(400, status_code=201),
    "it takes nothing": answer(201, status_code=400),
    "it answers in HTML": answer(201, headers={"content-type": ["text/html"]}),
    "it takes any method": answer(405, status_code=200),
}
FAULT = os.environ.get("PLANTED_FAULT")


@schemathesis.hook
def before_load_schema(ctx, raw_schema):
    if FAULT in DOCUMENT:
        DOCUMENT[FAULT](raw_schema)


@schemathesis.hook
def after_call(ctx, case, response):
    if FAULT in ANSWER:
        ANSWER[FAULT](response)
