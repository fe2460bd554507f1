"""Peers as detectors of ours: each in a process of its own, its words for what it finds mapped."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cipherset.pipeline.sanitize import Span
from cipherset.pipeline.sanitize.bench import Case

PEERS = ("presidio", "datafog", "scrubadub", "depii")
# What a peer calls it, in small letters. What is not here (dates, postal codes, ages) is OTHER.
NAMES = {
    "EMAIL": "email_address email",
    "URL": "url",
    "IP": "ip_address ip",
    "MAC": "mac_address",
    "PHONE": "phone_number phone",
    "CARD": "credit_card",
    "IBAN": "iban_code iban",
    "BANK_ACCOUNT": "us_bank_number bank_account us_routing_number bic in_ifsc",
    "NATIONAL_ID": (
        "us_ssn ssn social_security_number national_insurance_number national_id uk_nino ca_sin "
        "ae_emirates_id at_svnr be_national_number br_cpf ch_ahv cl_rut cn_resident_id de_id_card "
        "dk_cpr es_dni es_nie fi_hetu fr_nir gb_nino ie_ppsn in_aadhaar in_voter_id it_fiscal_code "
        "jp_my_number kr_rrn mx_curp nl_bsn no_fnr pl_id_card pl_pesel se_personnummer sg_nric "
        "tr_tckn za_id"
    ),
    "PASSPORT": "us_passport passport in_passport",
    "DRIVER_LICENSE": (
        "us_driver_license drivers_licence driving_licence gb_driving_licence driver_license"
    ),
    "TAX_ID": (
        "us_itin us_ein tax_id tax_reference_number ar_cuit au_abn au_tfn br_cnpj de_tax_id eu_vat "
        "in_gstin in_pan mx_rfc nz_ird pl_nip pt_nif"
    ),
    "VEHICLE": "vin vehicle_licence_plate",
    "COORDINATES": "geo_coordinates",
    "DATE_OF_BIRTH": "date_of_birth",
    "CRYPTO_WALLET": "crypto crypto_wallet",
    "MEDICAL_RECORD": "uk_nhs gb_nhs_number au_medicare nz_nhi medical_record_number",
    "REFERENCE_ID": "id medical_license",
    "USERNAME": "username twitter skype",
    "STREET_ADDRESS": "address street_address",
    "SECRET": "secret credential",
    "POSTAL_CODE": "postalcode zip_code us_zip gb_postcode ca_postal_code in_pin_code",
    "PERSON": "person name",
    "LOCATION": "location city",
    "ORGANIZATION": "organization",
    "ETHNICITY": "nrp",
}
OTHER = "OTHER"
OURS = {name: entity for entity, names in NAMES.items() for name in names.split()}


@dataclass(frozen=True)
class Found:
    """What one of them found: for each case its spans; ``seconds`` of CPU time."""

    engine: str
    spans: Sequence[Sequence[Span]]
    seconds: float

    def asked(self) -> "Found":
        """Without what is of no entity of ours: as if it had not been asked for."""
        spans = [[span for span in each if span.entity != OTHER] for each in self.spans]
        return replace(self, spans=spans)


def ask(peer: str, python: str, cases: Sequence[Case]) -> Found:
    """What ``peer`` finds, and what it calls by a name of ours."""
    script = str(Path(__file__).with_name("peer_detect.py"))
    with tempfile.TemporaryDirectory() as folder:
        texts, found = Path(folder) / "texts.json", Path(folder) / "found.json"
        texts.write_text(json.dumps([case.text for case in cases]), encoding="utf-8")
        command = [python, script, peer, str(texts), str(found)]
        subprocess.run(command, check=True, capture_output=True)
        raw = json.loads(found.read_text(encoding="utf-8"))
    spans = [
        [Span(a, b, OURS.get(kind.lower(), OTHER)) for a, b, kind in each if a < b]
        for each in raw["spans"]
    ]
    return Found(f"{peer} {raw['version']}", spans, raw["seconds"])
