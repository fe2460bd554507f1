"""What names of columns say, and what they do not."""

import pytest

from cipherset.pipeline.sanitize.label.kinds import KINDS, TOLD_BY_A_FLAG
from cipherset.pipeline.sanitize.label.names import _PHRASES, named

SAYS = {
    "ssn": "NATIONAL_ID",
    "Social Security Number": "NATIONAL_ID",
    "customerEmail": "EMAIL",
    "e-mail": "EMAIL",
    "correo_electronico": "EMAIL",
    "PhoneNumber": "PHONE",
    "téléphone": "PHONE",
    "handynummer": "PHONE",
    "dob": "DATE_OF_BIRTH",
    "dateofbirth": "DATE_OF_BIRTH",
    "DateOfBirth": "DATE_OF_BIRTH",
    "Geburtsdatum": "DATE_OF_BIRTH",
    "fecha de nacimiento": "DATE_OF_BIRTH",
    "date_naissance": "DATE_OF_BIRTH",
    "clientIP": "IP",
    "ip_address": "IP",
    "mac_address": "MAC",
    "home address": "STREET_ADDRESS",
    "Straße": "STREET_ADDRESS",
    "first_name": "PERSON",
    "NACHNAME": "PERSON",
    "nombre": "PERSON",
    "contraseña": "SECRET",
    "db_password": "SECRET",
    "diagnosis": "HEALTH",
    "primary_diagnosis_code": "HEALTH",
    "has_diabetes": "HEALTH",
    "religion": "RELIGION",
    "cc_number": "CARD",
    "cvv": "CARD",
    "IBAN": "IBAN",
    "patient_id": "MEDICAL_RECORD",
    "geo_location": "COORDINATES",
    "lat": "COORDINATES",
    "credit_score": "FINANCIAL",
}
SAYS_NOTHING = (
    "email_count",
    "is_phone_verified",
    "num_addresses",
    "email_sent_at",
    "card_type",
    "phone_model_brand",
    "ACADEMIC_YEAR_CODE",
    "nombre_producto",
    "race_time",
    "body",
    "id",
    "platform",
    "description",
    "",
    "日本",
    "capital",
    "latest",
    "telescope",
)


@pytest.mark.parametrize(("name", "entity"), SAYS.items())
def test_what_a_name_says(name, entity):
    assert named(name, flags=TOLD_BY_A_FLAG) == entity


@pytest.mark.parametrize("name", SAYS_NOTHING)
def test_a_name_about_the_thing_is_not_the_thing(name):
    assert named(name, flags=TOLD_BY_A_FLAG) is None


def test_every_phrase_is_found_under_its_entity_or_a_longer_phrase():
    assert set(_PHRASES) <= set(KINDS)
    for entity, phrases in _PHRASES.items():
        for phrase in phrases:
            assert named(phrase.lstrip("="), flags=frozenset(KINDS)) == entity, phrase
