"""What the structured detectors find, as people write it, and what they leave."""

import pytest

from cipherset.pipeline.sanitize.detectors.structured import AmountDetector, StructuredDetector

DETECTOR = StructuredDetector("US")

# What is to be found stands between the marks.
WRITTEN = """
NATIONAL_ID|Her social is «123 45 6789».
NATIONAL_ID|SSN (last filed): «078-05-1121»
NATIONAL_ID|My National Insurance number is «QQ123456C»
NATIONAL_ID|NINO «AB 12 34 56 C» on the payslip
NATIONAL_ID|Aadhaar «2341 2341 2346» attached
NATIONAL_ID|aadhaar no: «234123412346»
NATIONAL_ID|CPF: «390.533.447-05»
NATIONAL_ID|o meu CPF é «39053344705»
NATIONAL_ID|Mi DNI es «12345678Z»
NATIONAL_ID|NIE «X1234567L»
NATIONAL_ID|Codice fiscale «RSSMRA85T10A562S»
NATIONAL_ID|BSN «111222333»
NATIONAL_ID|mijn burgerservicenummer is «111222333»
NATIONAL_ID|PESEL «44051401359»
NATIONAL_ID|personnummer «811228-9874»
NATIONAL_ID|CPR-nummer «211062-5629»
NATIONAL_ID|henkilötunnus «131052-308T»
NATIONAL_ID|numéro de sécurité sociale «2 95 05 99 126 111 93»
NATIONAL_ID|NIR: «295109912611193»
NATIONAL_ID|Sozialversicherungsnummer «12 150585 M 123»
NATIONAL_ID|Versicherungsnummer: «65 180139 J 008»
NATIONAL_ID|Personalausweisnummer «L01X00T47»
NATIONAL_ID|AHV-Nummer «756.9217.0769.85»
NATIONAL_ID|身份证号 «11010519491231002X»
NATIONAL_ID|RRN «880517-1234567»
NATIONAL_ID|CURP «BOXW310820HNERXN09»
NATIONAL_ID|RUT «12.345.678-5»
NATIONAL_ID|SIN: «046-454-286»
NATIONAL_ID|social insurance number «046 454 286»
NATIONAL_ID|NRIC «S1234567D»
NATIONAL_ID|HKID «A123456(3)»
NATIONAL_ID|South African ID «8001015009087»
NATIONAL_ID|TC Kimlik No: «10000000146»
NATIONAL_ID|PPS number «1234567FA»
NATIONAL_ID|CNIC «42201-1234567-1»
NATIONAL_ID|OIB «33392005961»
NATIONAL_ID|Cartão de cidadão «00000000 0 ZZ4»
NATIONAL_ID|«123-45-6789» is my social security number
TAX_ID|EIN «12-3456789»
TAX_ID|Our employer identification number is «12-3456789».
TAX_ID|ITIN «912-70-1234»
TAX_ID|TIN: «123456789»
TAX_ID|VAT number «GB123456789»
TAX_ID|USt-IdNr. «DE136695976»
TAX_ID|Steuer-ID «86095742719»
TAX_ID|Steuernummer: «21/815/08150»
TAX_ID|Steuer-IdNr: «86 095 742 719»
TAX_ID|numéro TVA «FR40303265045»
TAX_ID|PAN «ABCPE1234F»
TAX_ID|GSTIN «27AAPFU0939F1ZV»
TAX_ID|TFN «123 456 782»
TAX_ID|ABN «51 824 753 556»
TAX_ID|UTR «1234567890»
TAX_ID|CNPJ «11.222.333/0001-81»
TAX_ID|P.IVA «12345678903»
TAX_ID|partita IVA IT«12345678903»
TAX_ID|RFC «GODE561231GR8»
TAX_ID|CUIT «20-12345678-6»
TAX_ID|NIP «123-456-32-18»
TAX_ID|SIRET «732 829 320 00074»
TAX_ID|contribuinte nº «123456789»
PASSPORT|Passport No. «C01X00T47»
PASSPORT|passport: «123456789»
PASSPORT|Her passport (number «X1234567») expired.
PASSPORT|Reisepassnummer «C01X00T47»
PASSPORT|n° de passeport «12AB34567»
PASSPORT|pasaporte «AAA123456»
PASSPORT|travelling on passport «AB 1234567»
PASSPORT|my passport number's «P1234567»
DRIVER_LICENSE|driver's license «D1234567»
DRIVER_LICENSE|Driver’s licence no «MORGA657054SM9IJ»
DRIVER_LICENSE|DL# «F255-921-50-094-0»
DRIVER_LICENSE|drivers license number is «S123-4567-8901»
DRIVER_LICENSE|Führerscheinnummer «B072RRE2I55»
DRIVER_LICENSE|permis de conduire n° «880692310285»
DRIVER_LICENSE|License No: «WDLABCD456DG»
DRIVER_LICENSE|CA DL «A1234567»
BANK_ACCOUNT|account number «000123456789» please
BANK_ACCOUNT|acct #«12345678»
BANK_ACCOUNT|Acct. No. «1234567890»
BANK_ACCOUNT|routing number «021000021»
BANK_ACCOUNT|ABA: «021000021»
BANK_ACCOUNT|sort code «12-34-56»
BANK_ACCOUNT|sort code «20-00-00» and account 55779911
BANK_ACCOUNT|and account «55779911»
BANK_ACCOUNT|Kontonummer «1234567890»
BANK_ACCOUNT|BLZ «10050000»
BANK_ACCOUNT|BSB «062-000»
BANK_ACCOUNT|IFSC «HDFC0001234»
BANK_ACCOUNT|SWIFT: «DEUTDEFF500»
BANK_ACCOUNT|BIC «BNPAFRPPXXX»
BANK_ACCOUNT|CLABE «032180000118359719»
BANK_ACCOUNT|my checking account is «4455667788»
MEDICAL_RECORD|MRN: «12345678»
MEDICAL_RECORD|MRN «MRN-0012345»
MEDICAL_RECORD|medical record number is «A123456»
MEDICAL_RECORD|medical record #«00-12-34»
MEDICAL_RECORD|NHS number «943 476 5919»
MEDICAL_RECORD|Medicare number «1EG4-TE5-MK73»
MEDICAL_RECORD|health insurance ID «XYZ123456789»
MEDICAL_RECORD|Member ID: «W123456789»
MEDICAL_RECORD|Rx number «7654321»
MEDICAL_RECORD|prescription no. «RX-7654321»
MEDICAL_RECORD|Krankenversichertennummer «A123456780»
MEDICAL_RECORD|patient ID «P-884213»
MEDICAL_RECORD|chart number «445566»
MEDICAL_RECORD|health card number «1234-567-890-AB»
VEHICLE|VIN: «1HGCM82633A004352»
VEHICLE|«WVWZZZ1JZXW000001» is the VIN
VEHICLE|chassis number «WVWZZZ1JZXW000001»
VEHICLE|license plate «7ABC123»
VEHICLE|licence plate «AB12 CDE»
VEHICLE|reg «AB12CDE» parked outside
VEHICLE|Kennzeichen «B-MW 1234»
VEHICLE|number plate «KA 01 AB 1234»
VEHICLE|plaque «AB-123-CD»
VEHICLE|plate no. «ABC-1234»
VEHICLE|targa «AB123CD»
VEHICLE|matrícula «1234 BCD»
VEHICLE|kenteken «12-ABC-3»
REFERENCE_ID|order «#1234567»
REFERENCE_ID|Order number: «ORD-2024-00123»
REFERENCE_ID|employee ID «E12345»
REFERENCE_ID|Employee number «004521»
REFERENCE_ID|customer number «C-998877»
REFERENCE_ID|case no. «2:21-cv-01234»
REFERENCE_ID|ticket «INC0012345»
REFERENCE_ID|Invoice «INV-2024-0042»
REFERENCE_ID|tracking number «1Z999AA10123456784»
REFERENCE_ID|policy number «POL-123456-78»
REFERENCE_ID|claim # «CLM-778899»
REFERENCE_ID|booking reference «QWERTY»
REFERENCE_ID|confirmation code «ABC123»
REFERENCE_ID|account ID «acc_9f8e7d6c5b»
REFERENCE_ID|student ID «s1234567»
REFERENCE_ID|badge number «4471»
REFERENCE_ID|Kundennummer «K-123456»
REFERENCE_ID|numéro de client «12345678»
REFERENCE_ID|número de pedido «987654»
REFERENCE_ID|loan number «0012345678»
REFERENCE_ID|reference «REF-88-12-A»
REFERENCE_ID|transaction id «550e8400-e29b-41d4-a716-446655440000»
REFERENCE_ID|IMEI «490154203237518»
REFERENCE_ID|docket «CR-2020-12345»
REFERENCE_ID|frequent flyer number «UA12345678»
CARD|card «4111-1111-1111-1111» exp 12/26
CARD|amex «3782 822463 10005»
CARD|card no. «5555555555554444»
CARD|visa «4012 8888 8888 1881»
CARD|«4111.1111.1111.1111»
CARD|«4111 - 1111 - 1111 - 1111»
IBAN|«GB29 NWBK 6016 1331 9268 19»
IBAN|IBAN: «DE00 1234 5678 9012 3456 78»
PHONE|reach me at «202.555.0143»
PHONE|Tel: «+44 (0)20 7946 0958»
PHONE|«+91 98765 43210»
PHONE|call «555-0143»
PHONE|my cell is «2025550143»
PHONE|Telefon «030 901820»
PHONE|Handy: «0171 1234567»
PHONE|téléphone «06 12 34 56 78»
PHONE|móvil «612 345 678»
PHONE|«1-800-555-0199»
PHONE|«(202)555-0143 ext. 12»
PHONE|phone number: «(202) 555 0143»
PHONE|«+86 138 0013 8000»
PHONE|«+55 11 91234-5678»
PHONE|«+61 412 345 678»
PHONE|«+81-3-1234-5678»
PHONE|WhatsApp «+34612345678»
PHONE|fax «212 555 0100»
PHONE|«07700 900123» is my mobile
DATE_OF_BIRTH|DOB «03/11/1953»
DATE_OF_BIRTH|D.O.B.: «11-Mar-1953»
DATE_OF_BIRTH|date of birth is «11 March 1953»
DATE_OF_BIRTH|born «1953-03-11»
DATE_OF_BIRTH|she was born in Boston on «March 11th, 1953»
DATE_OF_BIRTH|Birthday: «Mar 11 1953»
DATE_OF_BIRTH|geb. «11.03.1953»
DATE_OF_BIRTH|Geburtsdatum: «11. März 1953»
DATE_OF_BIRTH|née le «11/03/1953»
DATE_OF_BIRTH|nacida el «11 de marzo de 1953»
DATE_OF_BIRTH|birthdate («1953/03/11»)
DATE_OF_BIRTH|patient, born «19530311»
COORDINATES|located at «40.7128° N, 74.0060° W»
COORDINATES|GPS «51.5007,-0.1246»
COORDINATES|coords: («48.8584, 2.2945»)
COORDINATES|«40°26'46"N 79°58'56"W»
COORDINATES|{"lat": «37.4219», "lng": -122.0840}
CRYPTO_WALLET|«0x742d35Cc6634C0532925a3b844Bc454e4438f44e»
CRYPTO_WALLET|send to «bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq»
CRYPTO_WALLET|«3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy»
SECRET|password: «hunter2»
SECRET|my password is «Summer2024!»
SECRET|the wifi password is «correcthorse»
SECRET|pwd=«p@ss»
SECRET|PASSWORD="«letmein»"
SECRET|API key: «9f8e7d6c5b4a3f2e1d0c»
SECRET|api_key = '«abcdef1234567890»'
SECRET|Authorization: Bearer «abcdef1234567890abcdef»
SECRET|my PIN is «4821»
SECRET|the passcode is «889231»
SECRET|CVV «123»
SECRET|security code: «482»
SECRET|client_secret=«8Q~abcdEFGH1234ijkl»
SECRET|Server=db;Database=x;User Id=sa;Password=«Pa55w0rd»;
SECRET|login is jdoe and the password is «Winter-99»
SECRET|mot de passe : «Soleil99»
SECRET|Mein Passwort ist «Sommer2024»
SECRET|mi contraseña es «gato1234»
SECRET|my password used to be «Fluffy#1»
SECRET|Password - «Fluffy#12»
SECRET|I set the password as «Fluffy123»
SECRET|use «Fluffy123» as the password
SECRET|pass: «abc123»
SECRET|pw «abc123!x»
USERNAME|username: «jdoe»
USERNAME|user name is «jdoe92»
USERNAME|login: «j.doe»
USERNAME|my username is «catlover»
USERNAME|userid «jdoe_1»
USERNAME|Benutzername: «mmueller»
USERNAME|handle «@jdoe_92»
STREET_ADDRESS|«742 Evergreen Terrace, Springfield, OR 97403»
STREET_ADDRESS|ship to «1600 Pennsylvania Ave NW, Washington, DC 20500»
STREET_ADDRESS|«10 Downing Street»
STREET_ADDRESS|«221B Baker Street»
STREET_ADDRESS|«350 5th Ave, Apt 12B»
STREET_ADDRESS|«Musterstr. 12», 12345 Musterstadt
STREET_ADDRESS|«12, rue de Rivoli»
STREET_ADDRESS|«Avenida de la Constitución 12»
STREET_ADDRESS|«Via Garibaldi, 15»
STREET_ADDRESS|«Prinsengracht 263»
STREET_ADDRESS|«P.O. Box 1234»
STREET_ADDRESS|i live at «123 oak street»
STREET_ADDRESS|«45 West 23rd Street, Suite 500»
STREET_ADDRESS|«1 Infinite Loop, Cupertino, CA 95014»
STREET_ADDRESS|«4321 N Martin Luther King Blvd»
STREET_ADDRESS|«Av. Paulista, 1578»
POSTAL_CODE|zip «94107»
POSTAL_CODE|postcode «SW1A 1AA»
POSTAL_CODE|PLZ «10115»
POSTAL_CODE|ZIP code: «02139-4307»
POSTAL_CODE|postal code «K1A 0B1»
EMAIL|«john (at) example (dot) com»
EMAIL|«john dot doe at gmail dot com»
EMAIL|«john_doe AT example DOT org»
EMAIL|«ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ»
URL|«http://127.0.0.1:8080/x»
URL|«example.com/path?q=1»
IP|«192.168.1.1»
IP|«2001:db8::1»/64
MAC|«00:1A:2B:3C:4D:5E»
MAC|MAC address «001A.2B3C.4D5E»
NATIONAL_ID|The applicant's SSN, «536-22-8726», was verified.
NATIONAL_ID|SSN on file is «536228726».
NATIONAL_ID|last name Smith, SSN: xxx, full «536-22-8726»
NATIONAL_ID|Social Security Number of the beneficiary: «536-22-8726»
NATIONAL_ID|seu CPF «529.982.247-25» foi aprovado
NATIONAL_ID|su DNI, «45.678.901-D», caducó DNI
NATIONAL_ID|DNI: «45678901D»
NATIONAL_ID|il mio codice fiscale è «BNCMRA80A01H501Y»
NATIONAL_ID|numéro INSEE «1 84 12 76 451 089 46»
NATIONAL_ID|sein Ausweis Nr. «T220001293»
NATIONAL_ID|National ID: «784-1984-1234567-1»
NATIONAL_ID|{"ssn": "«536-22-8726»"}
NATIONAL_ID|ssn=«536228726»&x=1
NATIONAL_ID|NI no. «JG103759A»
NATIONAL_ID|Aadhaar card number is «4321 8765 2109»
NATIONAL_ID|RG «12.345.678-9»
TAX_ID|EIN: «47-1234567»
TAX_ID|the company's tax ID number («47-1234567»)
TAX_ID|VAT reg no «GB 980 7806 84»
TAX_ID|N° TVA intracommunautaire «FR83404833048»
TAX_ID|NIF «123456789» contribuinte
TAX_ID|USt-ID «DE123456789»
TAX_ID|my tax file number is «876 543 210»
PASSPORT|US passport «C03005988»
PASSPORT|passport # «C03005988»
PASSPORT|Passport Number: «K1234567»
PASSPORT|His passport, number «GB1234567», was stolen
DRIVER_LICENSE|driver license number «Y4829301»
DRIVER_LICENSE|Driver's Lic. #: «D400-7836-0001»
DRIVER_LICENSE|Texas DL «12345678»
DRIVER_LICENSE|Her licence number is «JONES812064S99AB»
BANK_ACCOUNT|wire to account «4532-8876-1234» at First Bank
BANK_ACCOUNT|routing no. «322271627»
BANK_ACCOUNT|account no: «12-345-678-9»
BANK_ACCOUNT|Account Number «0004 1234 5678»
BANK_ACCOUNT|acct no «556677889»
BANK_ACCOUNT|Savings account: «778899001122»
BANK_ACCOUNT|compte n° «00123456789»
BANK_ACCOUNT|número de cuenta «2100 0418 45 0200051332»
MEDICAL_RECORD|MRN# «4455667»
MEDICAL_RECORD|Medical Record No.: «77-88-99-0»
MEDICAL_RECORD|Member ID is «BCX-449-2211»
MEDICAL_RECORD|health plan ID «HP-22-334455»
MEDICAL_RECORD|Medicaid ID «AB12345C»
MEDICAL_RECORD|Rx# «1234567»
MEDICAL_RECORD|Patient MRN («PT-0098123»)
MEDICAL_RECORD|subscriber ID «XJK 8832 91001»
MEDICAL_RECORD|NHS no: «485 777 3456»
VEHICLE|The VIN on the title is «1FTFW1ET5DFC10312».
VEHICLE|plate reads «8XYZ123»
VEHICLE|a white van, plate «KJX-4471», fled
VEHICLE|registration number «LK63 XYZ» vehicle
VEHICLE|vehicle registration «LK63XYZ»
VEHICLE|license plate number «ABC 1234»
VEHICLE|amtliches Kennzeichen «M-AB 123»
REFERENCE_ID|Ref: «ABX-22391»
REFERENCE_ID|his employee number, «E-20394»
REFERENCE_ID|case number «23-CR-00871»
REFERENCE_ID|Case «#48821» was escalated
REFERENCE_ID|ticket number «TKT-88213-B»
REFERENCE_ID|order «112-3344556-7788990»
REFERENCE_ID|your booking «XK4P9Q» is confirmed
REFERENCE_ID|account ID: «A-4432-BB»
REFERENCE_ID|customer id «CUST_000912»
REFERENCE_ID|policy no. «HO-3391827»
REFERENCE_ID|claim «2024-CL-0091»
REFERENCE_ID|student number: «20193344»
REFERENCE_ID|user_id=«8812003»
REFERENCE_ID|Vertragsnummer «V-2024-00771»
REFERENCE_ID|n° de commande «CMD-55120»
REFERENCE_ID|codice cliente «CL99812»
REFERENCE_ID|EMP ID: «77812»
REFERENCE_ID|Personalnummer «00451233»
CARD|Visa ending... full «4539 1488 0343 6467»
CARD|«4539148803436467» is my card
CARD|mastercard: «5425-2334-3010-9903»
PHONE|phone «(212)-555-0187»
PHONE|«+49-30-901820»
PHONE|ring «01632 960983»
PHONE|«+1.415.555.0132»
PHONE|tel. «+33 (0)1 42 68 53 00»
PHONE|«415-555-0132»
PHONE|whatsapp: «+52 1 55 1234 5678»
PHONE|Tel.-Nr. «089/12345678»
PHONE|cell: «4155550132»
PHONE|«+971 50 123 4567»
PHONE|«0800 123 4567» hotline
PHONE|my phone number is «555 0132»
DATE_OF_BIRTH|Date of Birth: «07/04/1988»
DATE_OF_BIRTH|(DOB «1988-07-04»)
DATE_OF_BIRTH|DOB - «4 July 1988»
DATE_OF_BIRTH|born on the «4th of July, 1988»
DATE_OF_BIRTH|his birthday, «July 4, 1988»
DATE_OF_BIRTH|geboren: «4. Juli 1988»
DATE_OF_BIRTH|date de naissance : «4 juillet 1988»
DATE_OF_BIRTH|dob=«04-07-1988»
DATE_OF_BIRTH|"dateOfBirth": "«1988-07-04T00:00:00Z»"
DATE_OF_BIRTH|Birth Date «04JUL1988»
COORDINATES|GPS «37.7749 N, 122.4194 W»
COORDINATES|lat/long «-33.8688, 151.2093»
COORDINATES|«37°46'29.7"N, 122°25'09.8"W»
COORDINATES|location=«34.052235,-118.243683»
CRYPTO_WALLET|wallet: «1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa»
CRYPTO_WALLET|LTC «ltc1qhzjptwpym9afcdjhs7jcz6fd0jma0l0rc0e5yr»
CRYPTO_WALLET|doge «DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L»
SECRET|The admin password is "«Xy7!kkp»"
SECRET|Login: bob / Password: «qwerty12»
SECRET|passwd: «toor123»
SECRET|temporary password «Welcome1!»
SECRET|your one-time code is «482913»
SECRET|OTP «482913»
SECRET|pin code: «0412»
SECRET|mysql://root:«hunter2»@10.0.0.5/db
SECRET|wifi pw: «house-guest-22»
SECRET|Kennwort: «Blume!7»
SECRET|the alarm code is «7741»
SECRET|password for the portal is «Maple#Leaf9»
SECRET|credentials: admin / «P@ssw0rd»
SECRET|my recovery phrase... password «Trustno1»
USERNAME|user: «rkhan_22»
USERNAME|my login name is «rkhan22»
USERNAME|Username - «rkhan»
USERNAME|screen name «SkyDancer88»
USERNAME|"username": "«rkhan»"
USERNAME|logged in as user «rkhan22»
STREET_ADDRESS|lives at «88 Elm St., Apt. 4, Dayton OH 45402»
STREET_ADDRESS|address: «1428 Elm Street, Springwood, OH 45501»
STREET_ADDRESS|«5 Rue du Faubourg Saint-Honoré, 75008 Paris»
STREET_ADDRESS|«Bahnhofstrasse 21, 8001 Zürich»
STREET_ADDRESS|«C/ Gran Vía 28, 28013 Madrid»
STREET_ADDRESS|«2200 S Lamar Blvd #101»
STREET_ADDRESS|«100 Broadway, New York, NY 10005»
STREET_ADDRESS|«Rua das Flores, 123»
IP|«203.0.113.42»:443
MAC|«3C-22-FB-1A-2B-3C»
EMAIL|«j.smith+news@sub.example.co.uk»
URL|ftp «ftp://files.example.com/pub»
URL|«https://user.example.com:8443/a/b?x=1&y=2#z»
IBAN|«FR14 2004 1010 0505 0001 3M02 606»
IBAN|«DE89370400440532013000»
"""

NEAR = """
I have 3 cards and 12 accounts since 2019.
Why was I charged 45.99 twice on 2024-01-02 at 10:30?
The order of 24 items for 300 people took 2 weeks.
My account has been open for 12345 days
We flew BA 2490 to London, seat 24A, gate 12, and landed at 10.45.
The password is incorrect. My password is not working, and the PIN is blocked.
I forgot my password and my user name as well.
Password: required
Is the username taken? My login is not accepted.
token = get_token()
password = os.environ["DB_PASSWORD"]
Windows 10.0.19041, version 1.2.3.4, build 4.5.6.7
It scored 3.14159, 2.71828 and 0.5772, 1.4142, 1.7321
See chapter 12, page 345, line 67-89.
In 1985 I moved there; the shop was founded on 12 March 1953.
COVID-19, F-16, B-52, G7 and MP3 in 4K
room 1204 on floor 12, block 7
a 9-digit number such as 078051120 or 123456789 alone
call me at 5 or text 80086 to win
two of the 3 way street signs, a 24 hour drive, 10 mile road
1111-22-3333 000-12-3456 666-12-3456 900-12-3456
12345678A X1234567A 123.456.789-00
1HGCM82633A004353 is no vehicle
AB 12 34 56 E
bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx 1BoatSLRHtKNngkdXEeobR76b53LETtpyX
lorem://, www., @ and user@host at the dot com office
std::vector, 12:30:45, a:b:c:d:e:f
I paid $1,299.00 for invoice processing.
The claim for 500 dollars, the policy of 2020 and the order from 2021
"""


@pytest.mark.parametrize("line", WRITTEN.strip().splitlines())
def test_found(line):
    entity, marked = line.split("|", 1)
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    (spans,) = DETECTOR.detect([text])
    # A sign before the value, such as a number sign, may stay or go.
    found = [s for s in spans if s.entity == entity and s.start <= start + 1 and s.end >= end]
    assert found, [(span.entity, text[span.start : span.end]) for span in spans]


@pytest.mark.parametrize("text", NEAR.strip().splitlines())
def test_left(text):
    (spans,) = DETECTOR.detect([text])
    assert [(span.entity, text[span.start : span.end]) for span in spans] == []


# Put together here, or scanners of this repository would find them.
TOKENS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp" + "_" + "a1B2" * 9,
    "glpat" + "-" + "a1B2c3D4e5" * 2,
    "sk" + "-proj-" + "x9Y8" * 6,
    "sk" + "_live_" + "a1B2" * 6,
    "xoxb" + "-123456789012-abcdefABCDEF",
    "AIza" + "S" * 35,
    "SG" + "." + "a1B2" * 5 + "ab." + "c3D4" * 10 + "abc",
    "npm" + "_" + "a1B2" * 9,
    "hf" + "_" + "a1B2" * 8,
    "dop" + "_v1_" + "0a" * 32,
    "hvs" + "." + "a1B2" * 6,
    "AC" + "0a1b2c3d" * 4,  # the rest are found by what detect-secrets knows
    "0a1b2c3d" * 4 + "-us12",
    "123456789" + ":" + "a1B2c" * 7,
    "M" + "a1B2c3D4" * 3 + ".a1B2c3." + "a1B2c3D4e" * 3,
    "https://hooks." + "slack.com/services/T0a1/B0a1/a1B2c3D4",
]


@pytest.mark.parametrize("token", TOKENS)
def test_tokens(token):
    text = f"we use {token} there"
    (spans,) = DETECTOR.detect([text])
    assert any(
        span.entity == "SECRET" and text[span.start : span.end] in token for span in spans
    ), spans


def test_a_login_in_a_url():
    text = "postgres://app:s3cret@db.example.org:5432/prod and https://jo:pw12@x.com/"
    (spans,) = DETECTOR.detect([text])
    found = [(span.entity, text[span.start : span.end]) for span in spans]
    assert ("SECRET", "postgres://app:s3cret@db.example.org:5432/prod") in found
    assert ("SECRET", "pw12") in found


TABLE = """name,ssn,dob,phone
Jo,958-58-9958,1953-03-11,"555-0143"
| Name | SSN | Member ID |
|------|-----|-----------|
| Jo | 958-58-9958 | W12345 |
| Al | none | unknown |
name\tpassport no
Jo\tAB1234567"""


def test_tables():
    (spans,) = DETECTOR.detect([TABLE])
    assert [(span.entity, TABLE[span.start : span.end]) for span in spans] == [
        ("NATIONAL_ID", "958-58-9958"),
        ("DATE_OF_BIRTH", "1953-03-11"),
        ("PHONE", "555-0143"),
        ("NATIONAL_ID", "958-58-9958"),
        ("MEDICAL_RECORD", "W12345"),
        ("PASSPORT", "AB1234567"),
    ]


def test_words_win_over_forms():
    text = "order no. 123-45-6789 for 123-45-6789"
    (spans,) = DETECTOR.detect([text])
    assert [span.entity for span in spans] == ["REFERENCE_ID", "NATIONAL_ID"]


def test_what_was_cut_is_no_cue():
    assert DETECTOR.detect(["[REFERENCE_ID] 12345, [BANK_ACCOUNT:k3v9] 1234567"]) == [[]]


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("I paid $1,299.00 and 45 euros", ["$1,299.00", "45 euros"]),
        ("EUR 3.5m, \u00a320k and 1.000,50 \u20ac", ["EUR 3.5m", "\u00a320k", "1.000,50 \u20ac"]),
        ("5 people, 3.14 and a dollar", []),
    ],
)
def test_amounts(text, amounts):
    (spans,) = AmountDetector().detect([text])
    assert [text[span.start : span.end] for span in spans] == amounts
