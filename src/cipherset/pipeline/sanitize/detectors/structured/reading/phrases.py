"""The words of ``cues``: lower case, without accents, one phrase between commas.

"number", "no." and the like need not be said here: they are links, which may follow any phrase.
"""

from typing import Final

NOBODY: Final = "NOBODY"  # numbers of things and of goings-on: no detector takes them
_SAYING: Final = {
    "NATIONAL_ID": """
        תעודת הזהות, מספר הזהות, תעודת זהות שלי, תעודת הזהות שלי,
        ssn, ssns, social security, social security card, soc sec, social, ss, nss, sin, social
        insurance, nino, ni, national insurance, nin, national id, nid, national identity,
        national identification, national identity card, identity card, identity card number, id
        card number, national id card number, identification card, citizen id, citizen,
        citizenship, personal id, personal identity, personal identification, personal code,
        identity, identity document, id card, government id, govt id, state id, aadhaar, aadhar,
        adhaar, uidai, voter id, epic, cpf, rg, dni, nie, curp, cedula, cedula de identidad,
        documento de identidad, documento nacional de identidad, ine, seguridad social, numero
        de seguridad social, codice fiscale, carta d identita, carta di identita, cartao de
        cidadao, cartao cidadao, bilhete de identidade, niss, identidade, bsn, burgerservice,
        sofi, rijksregister, rijksregisternummer, registre national, pesel, personnummer,
        samordningsnummer, fodsels, fodselsnummer, cpr, hetu, henkilotunnus, kennitala,
        isikukood, personas kods, asmens kodas, egn, cnp, oib, jmbg, emso, rodne cislo, amka,
        pps, ppsn, nir, insee, securite sociale, numero de securite sociale, numero de secu,
        carte d identite, carte nationale d identite, cni, sozialversicherung,
        sozialversicherungs, versicherungs, rentenversicherungs, sv, svnr, personalausweis,
        personalausweisnr, ausweis, ausweisnr, ahv, avs, rrn, resident registration, hkid, nric,
        fin, mykad, ic, nik, ktp, cnic, kimlik, tc kimlik, rut, run, cuil, snils, снилс, паспорт
        рф, teudat zehut, mispar zehut, sa id, south african id, thai id, emirates id, 身份证,
        身份证号, 身份证号码, 주민등록번호, マイナンバー, 個人番号, id number, id no, id nr, id
        num, identity no, identification number, identification no, fodselsnr, fodselsnummeret,
        personnr, personnummeret, fnr, d nummer, cpr nr, cprnr, cprnummer, егн, единен
        граждански, единен граждански номер, лнч, лична карта, jmbg, матични број, матичен број,
        תעודת זהות, מספר זהות, מספר תעודת זהות, ת ז, מ ז, ת״ז, רקמ, t c kimlik, tc kimlik
        numarasi, kimlik numarasi, numer pesel, nr pesel, numer dowodu, dowod osobisty, numer
        dowodu osobistego, numar personal, cod numeric personal, rodne c, rc, personal number,
        szemelyi szam, szemelyi, taj szam, taj, αμκα, αδτ, αριθμος ταυτοτητας, ταυτοτητα,
        рнокпп, паспорт серия, رقم الهوية, الرقم القومي, رقم الاقامة, マイナンバー, 身份证号码,
        身分證, 身分證字號, 주민번호, documento, documento nacional, numero de identidad, numero
        de documento, numero de identificacion, carte identite, numero de identificacao,
        identiteitskaart, id kort
        """,
    "TAX_ID": """
        company registration, business registration, commercial registration, ein, fein, tin,
        itin, atin, ptin, employer identification, employer id, federal tax, federal tax id,
        federal id, tax id, tax identification, taxpayer, taxpayer id, taxpayer identification,
        tax, tax file, tax reference, tax registration, tax code, utr, unique taxpayer, unique
        taxpayer reference, vat, vat id, vat reg, vat registration, gst, gstin, gst
        registration, hst, ird, pan card, permanent account, tfn, abn, acn, cnpj, nif, cif, rfc,
        cuit, ruc, nit, rif, siret, siren, tva, numero tva, n tva, numero de tva, numero fiscal,
        numero d identification fiscale, identification fiscale, spi, partita iva, p iva, piva,
        btw id, btw nr, btw nummer, btwnr, btwnummer, rsin, kvk, nip, regon, dic, ico, inn, инн,
        огрн, steuer, steuer id, steueridentifikations, steueridentifikation, steuer
        identifikations, ust id, u st id, u st id nr, u st idnr, ust idnr, ustid, ustidnr,
        umsatzsteuer, umsatzsteuer id, umsatzsteueridentifikations, idnr, uid, contribuinte,
        numero de contribuinte, numero de identificacion fiscal, identificacion fiscal, fiscaal,
        codigo fiscal, numer nip, nr nip, steuernummer, steuernr, steuerliche identifikations,
        identifikations, umsatzsteuer identifikations, uid nr, mwst nr, afm, αφμ, иин, danovy,
        adoszam, ynummer, numero de identificacao fiscal, steuerliche identifikation
        """,
    "PASSPORT": """
        passport, passports, passport id, passport book, travel document, pasaporte, passeport,
        passaporto, passaporte, paspoort, reisepass, pass nr, passnr, passnummer, reisepassnr,
        reisedokument, паспорт, 护照, 护照号码, paszport, paszportu, numer paszportu, nr
        paszportu, mein pass, meinen pass, pass hat, passport card, номер паспорта, паспорта,
        загранпаспорт, パスポート, パスポート番号, 旅券番号, 여권, 여권번호, pasaport, pasaport
        no, cestovni pas, utlevel, דרכון, מספר דרכון, جواز السفر, passnumret, passets
        """,
    "DRIVER_LICENSE": """
        driver license, driver licence, drivers license, drivers licence, driver s license,
        driver s licence, driving license, driving licence, driver lic, drivers lic, dl, license
        id, licence id, license number, licence number, license no, licence no, operator
        license, operators license, driver permit, fuhrerschein, fuehrerschein, fuhrerscheinnr,
        permis, permis de conduire, carnet de conducir, licencia de conducir, permiso de
        conducir, licencia, patente, patente di guida, carta de conducao, cnh, carteira de
        motorista, carteira de habilitacao, rijbewijs, driving permit, licence de conduire,
        korkort, korekort, forerkort, prawo jazdy, prawa jazdy, ridicsky prukaz,
        rijbewijsnummer, ajokortti, surucu belgesi, ehliyet, водительское удостоверение,
        運転免許証, 運転免許証番号, 驾驶证, 驾照, 운전면허, permiso de conducir, licencia de
        manejo, licencia, patente di guida
        """,
    "MEDICAL_RECORD": """
        mrn, medical record, medical records, med rec, medrec, medical id, medical file,
        patient, patient id, patient record, patient identifier, patient account, pt id, chart,
        hospital, hospital id, hospital record, health record, health card, health card number,
        insurance card number, medicare card number, health insurance card number, health id,
        health plan, health plan beneficiary, health insurance, health insurance id, health
        insurance member, insurance member, insurance id, insurance, medical insurance,
        insurance card, insurance subscriber, member id, membership id, subscriber, subscriber
        id, beneficiary, beneficiary id, hicn, mbi, medicare, medicare id, medicare beneficiary,
        medicaid, medicaid id, nhs, ohip, phn, personal health, rx, prescription, prescription
        id, specimen, accession, lab accession, dea, npi, ihi, hpi, patienten, patientenakte,
        patientenid, krankenversicherung, krankenversicherungs, krankenversicherten,
        krankenkassen, versicherten, versichertennr, kvnr, fallnummer, rezept, carte vitale,
        numero patient, dossier medical, ipp, mutuelle, ordonnance, historia clinica, numero de
        paciente, paciente, tarjeta sanitaria, seguro medico, receta, tessera sanitaria,
        paziente, cartella clinica, ricetta, prontuario, utente, numero de utente, plano de
        saude, receita, zorgverzekering, patientnummer, polis zorg, recept, national provider,
        national provider identifier, provider npi, insurance policy, insurance policy id,
        policy id, health insurance policy, health policy, health policy id, medical policy,
        insurance group, plan member, plan member id, plan id, insured id, insured member,
        numero de asegurado, numero d assure, numero de afiliado, versichertennummer,
        policyholder id, enrollee, enrollee id, carecard, medical number
        """,
    "BANK_ACCOUNT": """
        account number, account no, account nr, account num, acct, acct number, acct no,
        account, acc number, acc no, a c, bank account, bank acct, checking account, savings
        account, current account, deposit account, brokerage account, beneficiary account,
        direct deposit, routing, routing transit, aba, aba routing, rtn, transit number, sort
        code, sortcode, bsb, ifsc, clabe, cbu, swift, swift code, swift bic, bic, bic code,
        micr, wire account, konto, kontonr, bankkonto, girokonto, bankverbindung, blz,
        bankleitzahl, compte, compte bancaire, numero de compte, rib, cuenta, cuenta bancaria,
        cuenta corriente, numero de cuenta, conto, conto corrente, conto bancario, cc bancario,
        conta, conta bancaria, conta corrente, numero da conta, nib, agencia, rekening,
        rekeningnr, bankrekening, numer konta, nr konta, konta, rachunku, numer rachunku, nr
        rachunku, kontonummer, kontonr, bankkontonummer, bankgiro, plusgiro, kontonumret, reg
        nr, счет, счёта, номер счета, расчетный счет, 口座番号, 银行账号, 账号, 계좌번호, hesap,
        hesap no, cislo uctu
        """,
    "IBAN": """
        iban, iban code, iban nr
        """,
    "CARD": """
        credit card, creditcard, debit card, card number, card no, card num, cardnumber, cc,
        ccn, cc number, payment card, bank card, visa, mastercard, amex, american express,
        discover, pan number, primary account, kreditkarte, kreditkarten, kartennummer, karten,
        ec karte, carte bancaire, carte bleue, carte de credit, numero de carte, tarjeta,
        tarjeta de credito, numero de tarjeta, carta di credito, numero carta, cartao, cartao de
        credito, creditcardnummer, betaalpas, card, cards, card details, pan, karte, carte,
        kort, kortnummer, karta, karty, numer karty, nr karty, carta, kaart, kaartnummer, karten
        nr, kredittkort, betalingskort, kreditkort, betaalkaart, 卡号, カード番号, 카드번호,
        карта, карты, номер карты
        """,
    "PHONE": """
        my number, your number, our number, his number, her number, their number, phone, phones,
        phone number, telephone, tel, tele, mobile, mobile phone, cell, cellphone, cell phone,
        call, calls, calling, fax, fax number, whatsapp, text, texting, sms, contact, contact
        number, contact phone, ring, dial, hotline, helpline, landline, home phone, work phone,
        mob, ph, callback, voicemail, reach me at, reached at, telegram, signal, viber, telefon,
        telefonnummer, telefonisch, handy, handynr, mobil, mobilnummer, mobiltelefon, rufnummer,
        festnetz, anrufen, ruf, rueckruf, telephone portable, portable, appelez, telefono,
        movil, llame, llamar, llamame, cellulare, chiamare, chiama, telefone, telemovel,
        celular, ligue, ligar, telefoon, telefoonnummer, gsm, mobiel, bel, bellen, 电话, 手机,
        電話, 전화, телефон, sms, tlf, tlfnr, telefonnr, mobilnr, mobiltelefonnummer, ring til,
        ringe, ringa, ring meg, ring mig, fange mig, opkald, llamen, llamenme, llamadme,
        llamarme, escribirme, escribeme, wasap, whats, telf, tlfno, tfno, movil, contactarme,
        contacto, telemovel, contato, zadzwon, dzwonic, numer telefonu, nr telefonu, komorka,
        komorkowy, puhelin, puhelinnumero, puh, matkapuhelin, telefonszam, mobilszam, soita,
        ara, tel no, telefonum, cep telefonu, 電話番号, 携帯, 手机号, 手机号码, 联系电话,
        전화번호, 휴대폰, моб, мобильный, номер телефона, тел, телефона
        """,
    "VEHICLE": """
        vin, vehicle identification, vehicle id, vehicle, chassis, license plate, licence plate,
        license plates, number plate, plate, plates, plate number, registration plate, tag
        number, vehicle registration, registration number, registration no, car registration,
        car reg, reg, vehicle reg, kennzeichen, kfz kennzeichen, nummernschild, fahrgestell,
        fahrgestellnr, fahrzeug ident, plaque, plaque d immatriculation, immatriculation,
        immatricule, immatriculee, matricula, placa, placas, bastidor, targa, targata, telaio,
        kenteken
        """,
    "POSTAL_CODE": """
        zip, zip code, zipcode, zip codes, postal code, postalcode, postal, post code, postcode,
        plz, postleitzahl, code postal, codigo postal, codice postale, cap, cep, cp
        """,
    "DATE_OF_BIRTH": """
        dob, d o b, birth, birthday, birthdate, birth date, date of birth, born, bday, b day,
        geboren, geb, geburtsdatum, geburtstag, geburts, geboren am, naissance, date de
        naissance, ne, nee, ne le, nee le, anniversaire, nacimiento, fecha de nacimiento,
        nacido, nacida, naci, cumpleanos, nascita, data di nascita, nato, nata, nato il, nata
        il, compleanno, nascimento, data de nascimento, nascido, nascida, aniversario, nasceu,
        geboortedatum, geboorte, verjaardag, 生年月日, 誕生日, 出生日期, 出生, 出生年月日,
        생년월일, urodzenia, data urodzenia, date urodzenia, urodzony, urodzona, urodzil,
        urodzila, urodzil sie, urodzila sie, urodzilem sie, urodzilam sie, ur, narozen,
        narozena, narozeni, datum narozeni, szuletesi, szuletesi datum, szuletett, fodselsdato,
        fodselsdag, fodselsdatoen, fodt, fodd, fodelsedatum, fodelsedag, syntymaaika, syntynyt,
        дата рождения, рождения, день рождения, родился, родилась, роден, родена, дата на
        раждане, раждане, народження, дата народження, dogum tarihi, dogum gunu, dogum, dogumlu,
        ημερομηνια γεννησης, γεννηση, γεννηθηκε, תאריך לידה, תאריך הלידה, נולד, נולדה, تاريخ
        الميلاد, nascut, nascuta, data nasterii, nasterii, rodjen, roden, rodena, datum rodenja,
        rodenja, rojen, rojstva, dd n, geboren op, geboortedag, cumple, born on, wurde geboren,
        d naiss, fecha de nac, nac, fecha nac, data nasc, nasc, data di nasc, f nac, geb dat,
        gebdatum, geb datum
        """,
    "REFERENCE_ID": """
        bar no, bar number, bar id, bar nr, state bar, bar license, bar licence, bar registration,
        bar association, bar member, bar card, attorney registration, attorney license, law
        license, notary, notary license, notary commission, notary registration, medical license,
        medical licence, physician license, nursing license, nurse license, pharmacist license,
        professional license, professional registration,
        employee, employee id, emp, emp id, staff, staff id, worker id, personnel, payroll,
        badge, badge id, gift card number, library card number, sim card number, loyalty card
        number, membership card number, account id, acct id, customer, customer id, customer
        account, cust, client, client id, client account, user id, userid, uid number, student,
        student id, matriculation, enrollment, enrolment, member number, membership, loyalty,
        frequent flyer, rewards, skymiles, mileageplus, case, case id, case file, docket,
        ticket, ticket id, incident, complaint, claim, claim id, order, order id, po number, po
        no, purchase order, invoice, invoice id, inv, receipt, booking, booking id, booking
        reference, booking ref, reservation, confirmation, confirmation code, pnr, record
        locator, reference, reference id, ref, ref id, our ref, your ref, transaction,
        transaction id, txn, txn id, payment id, payment reference, tracking, tracking id,
        shipment, parcel, consignment, policy, pol, contract, agreement, loan, loan id,
        mortgage, subscription, application, application id, applicant, file number, file no,
        file ref, imei, imsi, iccid, meid, device id, utility account, meter, bar number,
        medical license, professional license, license key id, group number, id, mitarbeiter,
        personal, personalnr, kunden, kundennr, auftrags, auftrag, bestell, bestellung,
        rechnungs, rechnung, vorgangs, vorgang, aktenzeichen, az, fall, vertrags, vertrag,
        mitglieds, mitglied, buchungs, buchung, sendungs, sendung, police, policen, schadens,
        matrikel, referenz, ticketnr, employe, salarie, client numero, numero client, numero de
        client, commande, numero de commande, facture, dossier, numero de dossier, contrat,
        adherent, reservation no, reference client, sinistre, matricule, empleado, cliente,
        numero de cliente, pedido, numero de pedido, factura, expediente, contrato, reserva,
        referencia, poliza, siniestro, socio, dipendente, ordine, fattura, pratica, contratto,
        prenotazione, riferimento, polizza, funcionario, fatura, encomenda, processo, apolice,
        protocolo, werknemer, personeels, klant, klantnr, order nr, bestelling, factuur,
        dossiernummer, zaak, zaaknummer, polis, contractnr, reservering, referentie,
        lidmaatschap, kenmerk, sim card, car insurance policy, auto insurance policy, home
        insurance policy, travel insurance policy, nr klienta, numer klienta, numer zamowienia,
        zamowienie, kundnummer, kundenummer, ordrenummer, ordrenr, ordernummer
        """,
    NOBODY: """
        serial, serial number, lot, lot number, lot no, batch, batch number, sku, isbn, issn,
        ean, ean code, gtin, upc, barcode, bar code, request id, requestid, req id, trace, trace
        id, traceid, span id, spanid, correlation id, part number, part no, model number, model
        no, build number, commit, checksum, seriennummer, seriennr, serien, chargen, lote, lot
        n, numero de serie, numero de lote, numero de lot
        """,
    "CRYPTO_WALLET": """
        wallet, wallet address, btc, bitcoin, eth, ethereum, crypto wallet, crypto address,
        solana, sol wallet, doge, dogecoin, ltc, litecoin, xrp, ripple, monero, xmr, tron, trx,
        usdt, cardano, ada wallet
        """,
}


def _phrases(said: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in said.split(",")]


PHRASES: Final = {phrase: entity for entity, said in _SAYING.items() for phrase in _phrases(said)}

# They say that a number follows.
LINKS: Final = frozenset(
    _phrases(
        """
        code, codes, id, identifier, ids, n, nbr, no, nos, nr, num, number, numbered, numbers,
        numero, numeros, nummer, nummern, nº, №, numer, nr, numaras, numarasi, no, номер,
        номера, 番号, 号码, 번호, מספר, cislo, szam
        """
    )
)

# They may stand between.
FILL: Final = frozenset(
    _phrases(
        """
        е, ми, то, моето, моят, שלי, think, guess, believe,
        file, title, form, document, certificate, card, record, a, also, am, an, are, as,
        assigned, at, be, below, by, current, d, da, das, de, del, dem, den, der, des, die, do,
        dos, du, e, een, el, em, es, est, field, following, for, full, given, got, had, has,
        have, her, here, het, his, i, ihr, ihre, il, im, in, is, issued, ist, it, its, just, l,
        la, las, lauten, lautet, le, les, listed, lo, los, ma, me, mein, meine, meinem, meiner,
        mes, meu, mi, mia, mijn, minha, mio, mon, my, na, named, new, nostro, notre, now, o, of,
        old, on, only, op, os, our, please, provided, reads, registered, s, sa, says, see, seu,
        shows, sind, son, sont, starting, still, su, sua, suo, text, that, the, their, this, to,
        under, unser, unsere, us, use, using, uw, valid, value, van, vom, von, votre, war, was,
        were, which, with, your, zum, zur, al, pa, mig, meg, mitt, mit, min, til, er, ar, jest,
        to, moj, moja, sie, dnia, w, г, года, est, son, hat, ha, lyder, for, на, мой, моя, это,
        היא, הוא, שלי, είναι, seria, holder, bearer, ended, cardholder, account holder, verify,
        should, ok, sure, yes, ja, oui, si, sim, it, tak
        """
    )
)

# These are numbers by name, and need no link.
SURE: Final = frozenset(
    _phrases(
        """
        aadhaar, aadhar, aba, abn, acn, ahv, blz, bsb, bsn, cbu, clabe, cnic, cnp, cnpj, codice
        fiscale, cpf, cpr, cuit, curp, dl, dni, driver license, egn, ein, fein, gstin, hicn,
        hkid, iban, ifsc, imei, imsi, itin, jmbg, mbi, mrn, national insurance, nhs, nie, nin,
        nino, nip, nir, nric, oib, pesel, plz, pnr, pps, ppsn, regon, rib, routing, rut, siren,
        siret, social security, sort code, sortcode, ssn, svnr, tfn, tin, utr, vin, pan card,
        npi, егн, pesel, fodselsnummer, personnummer, fnr, steueridentifikations, steuernummer,
        isbn, issn, ean, gtin, upc, sku, lot, batch, serial, barcode, trace, request id,
        requestid, trace id, traceid, span id, spanid, correlation id, ת ז
        """
    )
)

# They say whose number it is, or on what it stands; words further back may say which.
GENERAL: Final = frozenset(
    _phrases(
        """
        patient, customer, client, employee, beneficiary, applicant, student, staff, member,
        hospital, card number, card no, card num, patienten, kunden, cliente, paciente, employe,
        klant, card, cards, carte, karte, kort, karta, carta, kaart, documento, insurance
        """
    )
)
