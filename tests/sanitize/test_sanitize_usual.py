"""Identifiers as chats, logs, settings and other languages write them, and what only seems one."""

import pytest

from cipherset.pipeline.sanitize.detectors.structured import StructuredDetector

DETECTOR = StructuredDetector("US")

# What is to be found stands between the marks; a slashed n is a new line.
WRITTEN = """
DATE_OF_BIRTH|Agent: What is your birth date?\\nCustomer: «7 June 1968»
DATE_OF_BIRTH|> Can I have your date of birth please?\\n> «03/03/1971»
DATE_OF_BIRTH|When were you born?\\n- «1985-11-02»
DATE_OF_BIRTH|Wie lautet Ihr Geburtsdatum?\\nKunde: «14.02.1990»
DATE_OF_BIRTH|¿Cuál es su fecha de nacimiento?\\nCliente: Es el «14 de febrero de 1990».
DATE_OF_BIRTH|Quelle est votre date de naissance ?\\n> «14 février 1990»
DATE_OF_BIRTH|Date of birth\\n«14 February 1990»
DATE_OF_BIRTH|DOB:\\n  «14/02/90»
DATE_OF_BIRTH|bot: please confirm your DOB\\nme: sure, «4/5/88»
DATE_OF_BIRTH|Could you confirm the patient's date of birth?\\n[10:42] Rita: It's «May 9, 1977»
DATE_OF_BIRTH|生年月日：«1975年3月8日»
DATE_OF_BIRTH|誕生日は«1975/03/08»です
DATE_OF_BIRTH|Data urodzenia: «08.03.1975»
DATE_OF_BIRTH|urodzony «8 marca 1975» w Krakowie
DATE_OF_BIRTH|ur. «08.03.1975» r.
DATE_OF_BIRTH|urodziła się «8 marca 1975»
DATE_OF_BIRTH|Fødselsdato: «08.03.1975»
DATE_OF_BIRTH|född «1975-03-08»
DATE_OF_BIRTH|дата рождения: «08.03.1975»
DATE_OF_BIRTH|出生日期：«1975年3月8日»
DATE_OF_BIRTH|doğum tarihi «08.03.1975»
MEDICAL_RECORD|What's your member ID?\\n> «W8823 10045»
MEDICAL_RECORD|Agent: And the member id on your card?\\nMe: it is «XKD4471902»
BANK_ACCOUNT|Could I have the account number?\\nCustomer: «00482913377»
BANK_ACCOUNT|Account number\\n«00482913377»
BANK_ACCOUNT|Wie ist Ihre Kontonummer?\\n> «0048291337»
REFERENCE_ID|What's the order number?\\n> «88341290»
PASSPORT|passport number?\\n«X4471902»
NATIONAL_ID|What are the digits of your SSN?\\nCaller: «536228726»
NATIONAL_ID|Fødselsnummer: «12057512345»
NATIONAL_ID|fødselsnummeret mitt er «120575 12345»
NATIONAL_ID|personnr «12057512345»
NATIONAL_ID|ЕГН: «7503081234»
NATIONAL_ID|ЕГН «7503081234» на клиента
NATIONAL_ID|Единен граждански номер 7503081234 и ЕГН «7503081234»
NATIONAL_ID|תעודת זהות: «123456782»
NATIONAL_ID|מספר זהות «123456782»
NATIONAL_ID|ת.ז. «123456782»
NATIONAL_ID|ID number: «8001015009087»
NATIONAL_ID|my ID number is «7503081234»
NATIONAL_ID|ID no. «123456782»
NATIONAL_ID|T.C. kimlik no «10000000146»
NATIONAL_ID|numer PESEL: «44051401359»
NATIONAL_ID|Мой СНИЛС «112-233-445 95»
NATIONAL_ID|רקס מ.ז. «123456782»
USERNAME|Failed login for «mbauer» from the console
USERNAME|Failed password for invalid user «oracle» from 10.1.1.4 port 5544 ssh2
USERNAME|Accepted publickey for «deploy» from 10.1.1.4
USERNAME|session opened for user «tnguyen» by (uid=0)
USERNAME|10.1.1.4 - «tnguyen» [10/Oct/2023:13:55:36 +0000] "GET / HTTP/1.1" 200 2326
USERNAME|dbUser=«reporting»
USERNAME|dbUser: "«reporting»"
USERNAME|DB_USER=«reporting»
USERNAME|db_username = '«reporting»'
USERNAME|POSTGRES_USER: «reporting»
USERNAME|spring.datasource.username=«reporting»
USERNAME|Server=db;User Id=«reporting»;Password=Pa55w0rd;
USERNAME|I usually log in as «tnguyen» at home
USERNAME|logged in as «tnguyen».
USERNAME|sign in as «tnguyen» please
USERNAME|my acct name is «tnguyen»
USERNAME|account name: «tnguyen»
USERNAME|My handle is «skywalker» on there
USERNAME|my username's «moonchild»
USERNAME|Mein Benutzername lautet «mbauer»
USERNAME|mi usuario es «lgarcia»
USERNAME|mon identifiant est «pdupont»
USERNAME|login: «tnguyen»
USERNAME|ssh «tnguyen»@build7
USERNAME|user=«tnguyen» action=delete
USERNAME|user "«tnguyen»" does not exist
USERNAME|useradd «tnguyen»
USERNAME|CREATE USER «reporting» IDENTIFIED BY 'Blau-Wal9'
SECRET|CREATE USER reporting IDENTIFIED BY '«Blau-Wal9»'
SECRET|alter user jo identified by "«tiger»"
SECRET|CREATE ROLE app WITH LOGIN PASSWORD '«tiger»'
SECRET|https://example.com/verify?code=«482913»
SECRET|code=«482913»&state=x
SECRET|Your code is «482913»
SECRET|Your verification code: «G-482913»
SECRET|«482913» is your verification code
SECRET|Ihr Code lautet «482913»
SECRET|password is Winter-99, if not try «Sommer-88»
SECRET|The password is Winter-99. If that fails try «Sommer-88».
SECRET|passphrase: «correct horse battery staple»
SECRET|my passphrase is "«four green owls»"
SECRET|the passphrase is «purple monkey dishwasher lamp».
SECRET|dbPass=«tiger»
SECRET|dbPass: "«tiger»"
SECRET|DB_PASS=«tiger»
SECRET|smtp_pass = «tiger»
SECRET|login jdoe:«Summer!9» works
SECRET|curl -u tnguyen:«Summer9x» https://example.com
SECRET|creds tnguyen:«Summer9x»
SECRET|tnguyen / «Summer!9x»
SECRET|login,pw\\ntnguyen,«Summer9»
SECRET|user;password\\ntnguyen;«Summer9»
SECRET|\\| user \\| pass \\|\\n\\|---\\|---\\|\\n\\| tnguyen \\| «tiger22» \\|
USERNAME|login,pw\\n«tnguyen»,Summer9
USERNAME|\\| user \\| pass \\|\\n\\|---\\|---\\|\\n\\| «tnguyen» \\| tiger22 \\|
PASSPORT|His passport was «X4471902».
PASSPORT|the passport number was «533380006»
PASSPORT|passport (number) «533380006»
PASSPORT|her passport number on the form was «533380006»
PASSPORT|Mein Pass hat die Nummer «C01X00T47»
PASSPORT|numer paszportu «ZS0000177»
PASSPORT|pasaporte número «AAA123456»
PASSPORT|パスポート番号: «TK1234567»
TAX_ID|PAN card: «ABCDE1234F»
TAX_ID|PAN: «ABCDE1234F»
TAX_ID|pan card no «ABCDE1234F» attached
TAX_ID|Steuer-Identifikationsnummer «86095742719»
TAX_ID|Steueridentifikationsnummer: «86095742719»
TAX_ID|steuerliche Identifikationsnummer «86095742719»
TAX_ID|Umsatzsteuer-Identifikationsnummer: «DE136695976»
CARD|pan=«4111111111111111»
CARD|"pan": "«4539148803436467»"
CARD|PAN «4539 1488 0343 6467»
CARD|my card «4539 1488 0343 6468» was declined
CARD|card number 4539-1488-0343-6468 and card «4539-1488-0343-6468»
CARD|Karte «4539 1488 0343 6468»
CARD|tarjeta «4539148803436468» caducada
CARD|credit card: «4539148803436468»
PHONE|Mi móvil es el «612 345 678», llamen por la tarde
PHONE|llámame al «612345678»
PHONE|puedes escribirme al «612 34 56 78»
PHONE|ring på «20 12 34 56»
PHONE|mobil «20123456»
PHONE|Du kan fange mig på «20 12 34 56» efter kl. 16
PHONE|nombre;telefono\\nAna;«612345678»
PHONE|navn,mobil\\nMette,«20123456»
PHONE|Ana;12/03/1985;ES9121000418450200051332;«612345678»
PHONE|Mette;1985-03-12;DK5000400440116243;«20 12 34 56»
DATE_OF_BIRTH|Ana Ruiz;«12/03/1985»;ES9121000418450200051332;612345678
DATE_OF_BIRTH|jo@example.org,«1985-03-12»,+4915112345678\\nal@example.org,1979-01-30,+4915112345679
DATE_OF_BIRTH|Jan Novak\\t«12.03.1985»\\t850312/1234\\tjan@example.org
STREET_ADDRESS|«C/ Mayor 14, 3º B, 28013 Madrid»
STREET_ADDRESS|«C/ de Alcalá, 45, 28014 Madrid»
STREET_ADDRESS|«Calle de Alcalá, 45, 2º izq., 28014 Madrid»
STREET_ADDRESS|vivo en «Calle Mayor 14, 28013 Madrid»
STREET_ADDRESS|«Rua Augusta, 274, 1100-053 Lisboa»
STREET_ADDRESS|«Rua Augusta 274, 2.º Esq., 1100-053 Lisboa»
STREET_ADDRESS|«Rua das Flores, 123, São Paulo - SP, 01310-100»
STREET_ADDRESS|«Kerkstraat 12, 1017 GC Amsterdam»
STREET_ADDRESS|«Kerkstraat 12-A, 1017GC Amsterdam»
STREET_ADDRESS|«Kerkstraat 12 bis, 3511 AB Utrecht»
STREET_ADDRESS|«Lange Voorhout 34, 2514 EE Den Haag»
STREET_ADDRESS|«Nieuwezijds Voorburgwal 147, 1012 RJ Amsterdam»
STREET_ADDRESS|«Avenida da Liberdade, n.º 10, 1250-147 Lisboa»
STREET_ADDRESS|«Paseo de la Castellana 100, 28046 Madrid»
STREET_ADDRESS|«Via Roma 12, 00184 Roma»
STREET_ADDRESS|«Am Alten Markt 5, 50667 Köln»
EMAIL|contact?mail=«jo.doe%40example.org»&x=1
EMAIL|https://example.com/u?email=«jo.doe%40example.org»
EMAIL|«käthe@müller.example»
EMAIL|«jo@xn--mller-kva.de»
EMAIL|«jo@bücher.de»
EMAIL|«用户@例子.测试»
IP|//«10.2.3.4» is the old host
IP|x = 1; //«10.2.3.4»
IP|// «10.2.3.4» is the old host
COORDINATES|meet at «-33.87, 151.21» tomorrow
COORDINATES|«-33.87,151.21»
COORDINATES|«(-33.87, 151.21»)
COORDINATES|lat «-33.9» lon 18.4
COORDINATES|lat -33.9 lon «18.4»
COORDINATES|lat=«51.5», lng=-0.1
COORDINATES|GPS «51.50, -0.12»
DRIVER_LICENSE|Driving licence «JONES 812064 S99AB»
DRIVER_LICENSE|licence: «MORGA657054SM9IJ»
DRIVER_LICENSE|her licence is «MORGA 657054 SM9IJ 35»
DRIVER_LICENSE|«JONES812064S99AB»
MEDICAL_RECORD|NPI «1234567893»
MEDICAL_RECORD|NPI: «1234567893»
MEDICAL_RECORD|National Provider Identifier «1234567893»
MEDICAL_RECORD|insurance policy ID «HX-4471902»
MEDICAL_RECORD|insurance policy number: «HX4471902»
MEDICAL_RECORD|insurance member ID «HX4471902»
MEDICAL_RECORD|health insurance policy «HX4471902»
MEDICAL_RECORD|my insurance ID is «HX4471902»
MEDICAL_RECORD|plan member number «4471902»
MEDICAL_RECORD|policy ID: «HX4471902»
DATE_OF_BIRTH|Support: And your date of birth, please?\\nMaria: Sure, it's «12/08/1984»
DATE_OF_BIRTH|Q: DOB?\\nA: «1 Jan 1980»
DATE_OF_BIRTH|User: hi\\nBot: For verification I need your birth date.\\nUser: «April 2, 1991»
DATE_OF_BIRTH|Could you tell me when you were born?\\n\\n«23.05.1969»
DATE_OF_BIRTH|Please state your date of birth:\\n«23 May 1969»
DATE_OF_BIRTH|> What's your date of birth?\\n«3 March 1971»
DATE_OF_BIRTH|What's your date of birth?\\n> «3 March 1971»
DATE_OF_BIRTH|お客様の生年月日を教えてください。\\n«1988年12月1日»です
DATE_OF_BIRTH|生年月日 «1988-12-01»
DATE_OF_BIRTH|生年月日は«1988年12月1日»です。
DATE_OF_BIRTH|Jestem urodzona «1 grudnia 1988» roku
DATE_OF_BIRTH|Pacjent ur. «01.12.1988»
DATE_OF_BIRTH|Moja data urodzenia to «1988-12-01»
DATE_OF_BIRTH|Proszę podać datę urodzenia.\\nKlient: «01.12.1988»
MEDICAL_RECORD|Agent: Can you read me the member ID?\\nMember: «ZGP 100 442 918»
MEDICAL_RECORD|NPI number is «1548372910»
MEDICAL_RECORD|provider NPI: «1548372910»
MEDICAL_RECORD|Policy ID «BC-20991-X»
MEDICAL_RECORD|my insurance member number is «BCB20991342»
MEDICAL_RECORD|insurance no. «BCB20991342»
MEDICAL_RECORD|Insurance ID: «882-10-4421»
MEDICAL_RECORD|insurer says member id «882104421A» is inactive
BANK_ACCOUNT|Agent: which account is it?\\nMe: «55128830019»
BANK_ACCOUNT|What account number should we use?\\n> «55128830019»
BANK_ACCOUNT|Account: «55128830019»
NATIONAL_ID|fødselsnummer «01129955131»
NATIONAL_ID|Mitt personnummer er «011299 55131»
NATIONAL_ID|моето ЕГН е «8812011234»
NATIONAL_ID|ЕГН-то ми е «8812011234»
NATIONAL_ID|תעודת הזהות שלי היא «039337423»
NATIONAL_ID|ת"ז «039337423»
NATIONAL_ID|מספר תעודת זהות: «039337423»
NATIONAL_ID|ID number «39004150123»
NATIONAL_ID|His ID No: «4539-1488-0343»
NATIONAL_ID|My identity number is «8812011234»
USERNAME|sshd[212]: Failed login for «kwilson» from 203.0.113.7
USERNAME|login failed for user '«kwilson»'
USERNAME|Login attempt by «kwilson» blocked
USERNAME|203.0.113.7 - - «kwilson» [12/Mar/2024:10:11:12 +0100] "POST /x HTTP/1.1" 200 5
USERNAME|203.0.113.7 - «kwilson» [12/Mar/2024:10:11:12 +0100] "POST /x HTTP/1.1" 200 5
USERNAME|"dbUser": "«svc_orders»"
USERNAME|dbUser=«orders»
USERNAME|I log in as «kwilson» and it fails
USERNAME|You can log in as «kwilson».
USERNAME|acct name is «kwilson»
USERNAME|my acct name: «kwilson»
USERNAME|my gamertag is «ShadowFox»
USERNAME|User «kwilson» logged out at 10:22
USERNAME|userName: «kwilson»
USERNAME|uid=«kwilson»,ou=people,dc=example,dc=org
USERNAME|su - «kwilson»
USERNAME|by user «kwilson» on host web1
USERNAME|username «kwilson» is locked
USERNAME|My user name is «kwilson», can't get in.
USERNAME|account «kwilson» has been locked
USERNAME|tried signing in as «kwilson»
SECRET|GET /cb?code=«a81f3c» HTTP/1.1
SECRET|?code=«771204»
SECRET|OTP code=«771204»
SECRET|my code is «771204»
SECRET|Use code «771204» to sign in
SECRET|enter «771204» as the verification code
SECRET|One-time code: «771204»
SECRET|pw is Tiger2Lion, or try «Lion2Tiger»
SECRET|password Tiger#2 — if it doesn't work try «Lion#2»
SECRET|The passphrase is «blue horse eats paper».
SECRET|passphrase "«blue horse eats paper»"
SECRET|Passphrase = «blue-horse-eats-paper»
SECRET|spring.dbPass=«orders1»
SECRET|"dbPass": "«orders1»"
SECRET|ALTER USER 'app'@'%' IDENTIFIED BY '«Secr3t!»';
SECRET|GRANT ALL ON *.* TO 'app'@'%' IDENTIFIED BY '«Secr3t!»'
SECRET|test login: kwilson / «Blue42!x»
SECRET|user/pass: kwilson/«Blue42!x»
SECRET|username: kwilson, pass «Blue42!x»
SECRET|login \\| pw\\nkwilson \\| «blue42»
SECRET|login\\tpw\\nkwilson\\t«blue42»
SECRET|\\| login \\| pw \\|\\n\\| kwilson \\| «blue42» \\|
PASSPORT|my old passport was «N1204471»
PASSPORT|Passport (number): «N1204471»
PASSPORT|Her passport number, I think, was «N1204471»
PASSPORT|the number of my passport is «N1204471»
TAX_ID|Her PAN card - «BKLPS4821Q»
TAX_ID|PAN «BKLPS4821Q»
TAX_ID|PAN no: «BKLPS4821Q»
TAX_ID|Meine Steueridentifikationsnummer lautet «81 872 495 633»
TAX_ID|Steuer-Identifikationsnummer: «81872495633»
TAX_ID|Steuer-Identifikationsnr. «81872495633»
CARD|{"pan":"«5425233430109903»","exp":"12/26"}
CARD|pan: «5425 2334 3010 9903»
CARD|charged to card «4000 1234 5678 9012»
CARD|card ending? full card is «4000-1234-5678-9012»
CARD|Card no. «1234 5678 9012 3456»
PHONE|Mi teléfono es «622 114 785»
PHONE|Hola, soy Ana, mi número es el «622 114 785», gracias
PHONE|Hej, du kan ringe til mig på «28 44 19 03»
PHONE|Mit telefonnummer er «28 44 19 03», ring efter kl 15
PHONE|ana;«622114785»;Madrid;ana@example.org
PHONE|Mette Holm,mette@example.dk,«28441903»
PHONE|name\\tmobile\\nMette\\t«28 44 19 03»
STREET_ADDRESS|Envíalo a «C/ Luna 7, 4º D, 08012 Barcelona» por favor
STREET_ADDRESS|«Calle del Pez 21, 28004 Madrid»
STREET_ADDRESS|«Calle San Bernardo, nº 5, 2ºA, 28015 Madrid»
STREET_ADDRESS|«Rua do Carmo 15, 1200-093 Lisboa»
STREET_ADDRESS|moro na «Rua de Santa Catarina, 312 - 2º Dto, 4000-443 Porto»
STREET_ADDRESS|«Dorpsstraat 5, 3732 HJ De Bilt»
STREET_ADDRESS|«Prinsengracht 263-267, 1016 GV Amsterdam»
STREET_ADDRESS|Stuur naar «Jan Steenstraat 8 II, 1073 VK Amsterdam»
STREET_ADDRESS|«Avenida de América, 12, 5º C, 28028 Madrid»
EMAIL|?to=«anna.k%40example.com»
EMAIL|mailto:«anna.k%40example.com»
EMAIL|«info@zürich-reisen.ch»
EMAIL|«josé@españa.es»
IP|int x = 0; // «203.0.113.9» old
IP|//«203.0.113.9»
IP|host = a // «203.0.113.9»:8080
DATE_OF_BIRTH|Anna Kowalska;«1979-04-02»;PL61109010140000071219812874;601234567
PHONE|Anna Kowalska;1979-04-02;PL61109010140000071219812874;«601234567»
PHONE|Dupont;02/04/1979;FR1420041010050500013M02606;«0612345678»
COORDINATES|pin at «-33.87, 151.21»
COORDINATES|position: «-34.60, -58.38»
COORDINATES|lat: -33.9, lon: «18.4»
COORDINATES|latitude -33.9 longitude «18.4»
DRIVER_LICENSE|licence number «SMITH 711215 J99KX»
DRIVER_LICENSE|DVLA licence «SMITH711215J99KX»
DRIVER_LICENSE|UK driving licence no. «SMITH711215J99KX 12»
DRIVER_LICENSE|driving licence: «FOX99902137R99AB»
"""

NEAR = """
We counted 2125550123 rows and 4155550132 events
lot 2024551234 and batch 4155550132 are on hold
Lot no. 2124567890 was recalled
serial: 2124567890, model 7
shift 0900-1700 on Monday, then 0900-1730
opening hours 0800-1600
ISSN 1234-5679 and ISSN: 0378-5955
EAN 4006381333931 is out of stock
GTIN 04006381333931
barcode: 4006381333931
request id 7f3a9c22 failed, trace id 4bf92f3577b34da6a3ce929d0e0e4736
requestId=7f3a9c22d1 traceId=4bf92f3577b34da6
trace-id: 4bf92f3577b34da6a3ce929d0e0e4736
span_id=00f067aa0ba902b7
Serial: C02XG0FDJGH5
What was the date of the meeting?\\n> 3 March 1971
The baby is due in March.\\nWe met on 3 March 2020.
What is your account number?\\nI don't have it, it is 12 days late.
code=404 and code=200
exit code 139
error code: 50012
the user is happy; users are happy; user experience; login works
We log in as usual. Sign in as soon as you can.
Thanks @ all, see you @ 5
@media screen @Override @param
I handle is fine. the handle is broken
The ID number is missing.
try again later or try Chrome
either / or, and/or, km/h, 24/7
a:b, 12:30, note:this
temperature -3.5, 12.1 and -2.25
The price moved -3.87, 15.21 points
street 5, door 3, block 2
12, 34, 56; 78
there were 3105550199 hits and 4155550132 misses
Lot: 2024556789
lot #3125550147
We shipped 7735550123 units
count=3125550147
batch id 3125550147
working 0700-1500 or 1400-2200
The shift is 0900-1700
ISSN 2049-3630
EAN: 5901234123457
GTIN 05901234123457
scan 4006381333931 at the till
Serial No. 5CD1234XYZ
serial number: 8XK2291
request_id: 9f8c2b7a-1234
X-Request-ID: 550e8400-e29b-41d4-a716-446655440000
trace id 0af7651916cd43dd8448eb211c80319c
correlation id a81bc81b-dead-4e5d
the code is broken and code 12 fails
Use code SAVE20 at checkout
discount code=SPRING24
error code=500123
what card do you have? I have 2
my account is locked
Please log in as an administrator
I tried to log in as I always do
How do I change my handle on the door? the handle is broken
the user is invalid, the user from Paris
try Option2 or else restart
the password was changed on 12/03/2024 or 13/03/2024
What time is it?\\n> 10:30 on 3 March 2020
Did you call?\\n> yes, 20 times since 2019
"""


def plain(line):
    return line.replace("\\n", "\n").replace("\\t", "\t").replace("\\|", "|")


@pytest.mark.parametrize("line", WRITTEN.strip().splitlines())
def test_found(line):
    entity, marked = line.split("|", 1)
    marked = plain(marked)
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    (spans,) = DETECTOR.detect([text])
    found = [s for s in spans if s.entity == entity and s.start <= start + 1 and s.end >= end]
    assert found, [(span.entity, text[span.start : span.end]) for span in spans]


@pytest.mark.parametrize("line", NEAR.strip().splitlines())
def test_left(line):
    text = plain(line)
    (spans,) = DETECTOR.detect([text])
    assert [(span.entity, text[span.start : span.end]) for span in spans] == []
