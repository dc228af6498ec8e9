"""Headings of people files as systems write them, in English, German, French and Spanish, and which field each names.

A line of ``_FIELDS`` is a field and headings for it that are worth the same; earlier lines of a field are preferred.
Systems: Workday, BambooHR, Personio, SAP SuccessFactors, ADP, UKG, HiBob, Rippling, Factorial, DATEV, Entra and
Microsoft 365, Active Directory, Google Workspace, Okta, Slack.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from commsengine.cadence.people import KNOWN
from commsengine.text import near_names
from commsengine.translation import N_

LIKE_OURS = 0.85
"""So like the name of a column is a heading that is probably a slip; 'level' is not yet 'leave'."""

_FIELDS = """
id: id
id: employee id, employee number, employee no, emp id, emp no, empid, employee code, personnel number, personnel no,
    person id, person number, worker id, staff id, staff number, associate id, associate oid, file number, user id,
    userid, personal-nr, personalnummer, pers.-nr., persnr, pnr, mitarbeiternummer, mitarbeiter-id, mitarbeiter-nr,
    ma-nr, stammnummer, matricule, numéro employé, numéro de salarié, n° employé, n° salarié, id employé, id salarié,
    identifiant salarié, identifiant employé, número de empleado, nº empleado, núm. empleado, n.º de empleado,
    id empleado, id de empleado, código de empleado, código empleado, legajo, employeenumber, global id,
    id collaborateur
id: object id, objectid, immutable id, external id
email: email
email: work email, work email address, work e-mail, email work, business email, business email address,
    business email information email address, company email, company email address, corporate email, office email,
    primary work email, email - primary work, geschäftliche e-mail, geschäftliche e-mail-adresse,
    geschaeftliche e-mail, e-mail geschäftlich, e-mail geschaeftlich, dienstliche e-mail, e-mail dienstlich,
    firmen-e-mail, e-mail arbeit, e-mail firma, e-mail professionnel, email pro, mail pro, mail professionnel,
    courriel professionnel, adresse e-mail professionnelle, adresse email professionnelle,
    adresse mail professionnelle, correo corporativo, correo electrónico corporativo, correo de trabajo,
    correo electrónico del trabajo, correo electrónico de trabajo, correo empresarial, correo de empresa,
    correo electrónico laboral, email corporativo, email laboral, email empresa
email: mail, email address, e-mail address, primary email, primary email address, email primary,
    primary smtp address, windows email address, contact email, e-mail-adresse, mailadresse, mail-adresse, courriel,
    adresse e-mail, adresse électronique, adresse mail, adresse de courriel, adresse de messagerie, correo,
    correo electrónico, dirección de correo electrónico, dirección de correo, dirección de email, e-mail 1 - value,
    email 1, email information email address, user email, employee email, email id
email: user principal name, userprincipalname, upn, benutzerprinzipalname, nom d'utilisateur principal,
    nom principal de l'utilisateur, nombre principal de usuario, sign-in name
email: login, user name, username, user login, benutzername, benutzerkennung, nom d'utilisateur, identifiant,
    nombre de usuario
private_email: personal email, personal email address, home email, private email, e-mail privat, private e-mail,
    private e-mail-adresse, courriel personnel, e-mail personnel, email personnel, email perso,
    adresse e-mail personnelle, correo personal, correo electrónico personal, email personal, secondary email,
    alternate email, recovery email, alternate email address, alternate email addresses, other mails,
    home secondary email, recovery email [must be in the e-mail format]
name: name
name: full name, fullname, employee name, employee, worker, worker name, associate name, person name,
    full legal name, legal name, payroll name, employee full name, vollständiger name, vollstaendiger name,
    name vollständig, mitarbeitername, mitarbeiter, mitarbeiter/in, mitarbeiterin, mitarbeitende, mitarbeitende/r,
    vor- und nachname, name vorname, nachname vorname, nom complet, nom et prénom, nom prénom, prénom nom,
    prénom et nom, nom du salarié, collaborateur, collaboratrice, salarié, employé, nombre completo,
    nombre y apellidos, nombre y apellido, apellidos y nombre, empleado, empleada, colaborador, nombre del empleado,
    real name
name: display name, displayname, anzeigename, nom d'affichage, nom complet affiché, nombre para mostrar,
    nombre visible
name: cn, common name
first_name: first name, firstname, first, given name, givenname, given names, forename, legal first name, fname,
    first names, vorname, vornamen, prénom, prénoms, prénom légal, nombre de pila, primer nombre, nombres, nombre(s)
preferred_name: preferred first name, preferred name, preferred given name, known as, goes by, nickname,
    preferred firstname, rufname, bevorzugter vorname, prénom usuel, prénom d'usage, prénom préféré,
    nombre preferido, chosen name
last_name: last name, lastname, last, surname, sn, family name, familyname, legal last name, lname,
    preferred last name, nachname, familienname, zuname, nom de famille, nom d'usage, nom usuel, apellido, apellidos,
    primer apellido, apellido paterno, apellido(s)
second_last_name: second last name, segundo apellido, apellido materno
department: department
department: department name, dept, dept name, department description, home department, home department description,
    abteilung, abteilungsname, abteilungsbezeichnung, service, département, nom du service, departamento,
    nombre del departamento, org level 1 department
department: supervisory organization, organizational unit, organisational unit, org unit, organisationseinheit,
    bereich, fachbereich, área, unité organisationnelle, unidad organizativa
department: division, business unit, geschäftsbereich, direction, unidad de negocio
department: org unit path
job: job
job: job title, jobtitle, title, business title, position title, position, job name, job profile, job, primary job,
    employee title, job title description, job description, designation, occupation, stelle, stellenbezeichnung,
    stellentitel, funktion, berufsbezeichnung, tätigkeit, taetigkeit, jobtitel, jobbezeichnung, poste,
    intitulé du poste, intitulé de poste, titre du poste, titre de poste, fonction, emploi, puesto,
    puesto de trabajo, cargo, título del puesto, título, denominación del puesto
manager: manager email, manager e-mail, manager's email, managers email, manager email address, manager work email,
    manager mail, manager primary work email, supervisor email, supervisor e-mail, reports to email,
    line manager email, reporting manager email, direct manager email, manager upn, manager user principal name,
    supervisor primary email, e-mail vorgesetzter, vorgesetzter e-mail, vorgesetzter email, e-mail des vorgesetzten,
    vorgesetzten-e-mail, e-mail führungskraft, führungskraft e-mail, manager-e-mail, e-mail manager,
    e-mail du manager, email du manager, email du responsable, e-mail du responsable, e-mail n+1, e-mail responsable,
    correo del jefe, correo del responsable, email del responsable, correo del supervisor, correo del gerente,
    correo electrónico del responsable, correo electrónico del gerente, email responsable, email jefe,
    correo del manager
manager: manager id, manager employee id, manager's employee id, managers employee id, manager employee number,
    manager number, manager user id, manager worker id, supervisor id, supervisor employee id,
    supervisor employee number, reports to id, reports to associate id, reports to employee id,
    reports to employee number, line manager id, reporting manager id, direct manager id, vorgesetzten-id,
    vorgesetzter id, id vorgesetzter, id des vorgesetzten, vorgesetzter personalnummer, personalnummer vorgesetzter,
    personalnummer des vorgesetzten, vorgesetztennummer, manager personalnummer, pers.-nr. vorgesetzter,
    führungskraft id, matricule manager, matricule du manager, matricule du responsable, matricule responsable,
    id manager, id du manager, id responsable, identifiant du manager, identifiant du responsable, matricule n+1,
    id del responsable, id del jefe, id del gerente, id responsable, número de empleado del responsable,
    número de empleado del gerente, id supervisor, código del responsable, matricule du supérieur
manager: manager
manager: manager name, manager's name, managers name, manager full name, manager display name, supervisor,
    supervisor name, reports to, reports to name, reporting to, reports to payroll name, line manager,
    line manager name, direct manager, reporting manager, worker's manager, primary manager, people manager,
    vorgesetzter, vorgesetzte, vorgesetzte/r, vorgesetzte:r, vorgesetzte*r, vorgesetzter name, direkter vorgesetzter,
    direkte/r vorgesetzte/r, direkte führungskraft, name vorgesetzter, name des vorgesetzten, führungskraft,
    fuehrungskraft, disziplinarischer vorgesetzter, disziplinarische führungskraft, responsable,
    responsable hiérarchique, nom du responsable, nom du manager, manager direct, supérieur, supérieur hiérarchique,
    supérieur direct, n+1, responsable direct, jefe, jefe directo, jefe inmediato, superior, superior directo,
    responsable directo, gerente, nombre del jefe, nombre del responsable, nombre del gerente, supervisor directo
manager_first_name: manager first name, supervisor first name, reports to first name, vorgesetzter vorname,
    vorname vorgesetzter, prénom du manager, prénom du responsable, nombre de pila del responsable
manager_last_name: manager last name, supervisor last name, reports to last name, vorgesetzter nachname,
    nachname vorgesetzter, nom de famille du manager, apellidos del responsable
country: country
country: country name, country code, country/region, work country, location country, work location country,
    country of work, work country code, business country, location address - country, work address country,
    country region, countrycode, co, land, arbeitsland, länderkürzel, laenderkuerzel, länderschlüssel, ländercode,
    einsatzland, pays, pays de travail, pays du lieu de travail, país, país de trabajo, país del centro de trabajo,
    c
country: usage location, nutzungsstandort, lieu d'utilisation, ubicación de uso
region: region
region: state, state/province, state or province, state province, province, work state, work location state,
    location state, work state/province, bundesland, kanton, canton, provincia, comunidad autónoma, comunidad,
    land/kanton, st
region_or_status: estado
time_zone: time zone
time_zone: timezone, tz, time zone id, working time zone, preferred time zone, user time zone, olson time zone,
    zeitzone, fuseau horaire, zona horaria, huso horario
language: language
language: preferred language, lang, locale, user locale, communication language, correspondence language,
    language code, sprache, korrespondenzsprache, bevorzugte sprache, sprachcode, muttersprache, langue,
    langue préférée, langue de correspondance, idioma, idioma preferido, lengua
phone: phone
phone: work phone, work phone number, business phone, business phones, business phone number, office phone,
    primary work phone, phone number, primary phone, telephone, telephone number, tel, tel., phone work,
    business phone information phone number, work telephone, telefon, telefonnummer, telefon geschäftlich,
    telefon dienstlich, geschäftstelefon, geschäftliche telefonnummer, diensttelefon, diensthandy, rufnummer,
    festnetz, durchwahl, telefon arbeit, téléphone, tél, tél., numéro de téléphone, téléphone professionnel,
    téléphone fixe, téléphone bureau, tél. professionnel, teléfono, teléfono de trabajo, teléfono del trabajo,
    teléfono corporativo, teléfono fijo, teléfono laboral, teléfono empresa, número de teléfono, officephone
phone: mobile, mobile phone, mobile number, mobile phone number, cell, cell phone, work mobile, work mobile phone,
    handy, handynummer, mobiltelefon, mobilnummer, mobil, mobile professionnel, portable, portable professionnel,
    téléphone portable, téléphone mobile, móvil, celular, teléfono móvil, teléfono celular, móvil corporativo,
    móvil de empresa
channel: channel
slack_id: slack id, slack user id, slack member id, slack userid
days: days
days: working days, workdays, work days, arbeitstage, jours travaillés, jours de travail, días laborables,
    días de trabajo
leave: leave
left: left
left: last day, last working day, last day of work, last day worked, letzter arbeitstag, letzter tag, dernier jour,
    dernier jour travaillé, dernier jour de travail, último día, último día de trabajo, último día trabajado
left: termination date, terminated on, employment end date, leaving date, leave date, date of leaving, exit date,
    separation date, effective termination date, end date, end of employment, date left, austrittsdatum, austritt,
    austritt am, ausgeschieden am, enddatum, beschäftigungsende, ende des arbeitsverhältnisses, date de sortie,
    date de départ, date de fin, date de fin de contrat, fecha de baja, fecha de salida, fecha de terminación,
    fecha fin, fecha de fin, fecha de cese, fin de contrato
status: status, employment status, employee status, worker status, account status, user status, lifecycle status,
    position status, work status, current status, assignment status, beschäftigungsstatus, mitarbeiterstatus,
    anstellungsstatus, mitarbeitendenstatus, statut, statut employé, statut du salarié, état, estado del empleado,
    estado de empleo, estado laboral, situación, situación laboral, estatus
enabled: account enabled, accountenabled, enabled, active, is active, active status, currently active,
    active employee, aktiv, actif, activo, konto aktiviert, compte activé, cuenta habilitada
blocked: block sign in, block sign-in, block credential, blocked, suspended, is suspended, deactivated, disabled,
    account disabled, terminated, inactive, gesperrt, deaktiviert, inaktiv, anmeldung blockieren,
    anmeldung blockiert, ausgeschieden, bloquer la connexion, connexion bloquée, désactivé,
    bloquear inicio de sesión, inicio de sesión bloqueado, desactivado, archived
user_type: user type, usertype, account type, member type, recipient type, recipient type details, benutzertyp,
    kontotyp, type d'utilisateur, type de compte, tipo de usuario, tipo de cuenta
bot: is bot, bot
guest: is guest, guest, is restricted, is ultra restricted
account_control: user account control, useraccountcontrol
dn: distinguished name, distinguishedname, dn
"""

_SENSITIVE: tuple[tuple[str, str, str], ...] = (
    (
        N_("password"),
        "password|passwort|kennwort|motdepasse|contrasena|passcode",
        "pin pwd",
    ),
    (
        N_("bank"),
        "iban|bankaccount|bankverbindung|bankname|bankleitzahl|accountnumber|kontonummer|kontoinhaber|"
        "routingnumber|sortcode|comptebancaire|cuentabancaria|numerodecuenta|coordonneesbancaires",
        "bic rib bank swift banque banco",
    ),
    (
        N_("tax or social insurance"),
        "taxid|taxnumber|taxcode|steuer|sozialvers|socialsecurity|socialinsurance|nationalinsurance|"
        "nationalid|versicherungsnummer|securitesociale|seguridadsocial|numerofiscal|passport|reisepass|"
        "passeport|pasaporte|ausweis|aufenthaltstitel|driverslicen|workpermit|visa(type|expir|number)",
        "ssn sin nino nif nie dni cuil cuit rfc curp nss nir tin tax visa",
    ),
    (
        N_("birth"),
        "birth|geburt|naissance|nacimiento",
        "dob age alter edad",
    ),
    (
        N_("pay"),
        "salary|gehalt|lohn|salaire|salario|sueldo|compensation|remuneration|vergutung|entgelt|payrate|"
        "payfrequency|payamount|paygrade|hourlyrate|annualrate|wage|tarifgruppe|bonus",
        "pay",
    ),
    (
        N_("health or family"),
        "disabilit|schwerbehind|behinderung|handicap|discapacidad|health|krankenkasse|krankheit|krankmeld|"
        "gesundheit|medical|sickness|bloodtype|vaccin|impf|marital|familienstand|zivilstand|"
        "situationfamiliale|estadocivil|emergency|notfall|urgence|emergencia|dependents|kinder(zahl|freib)|"
        "pregnan|mutterschutz",
        "sick children enfants hijos",
    ),
    (
        N_("personal"),
        "gender|geschlecht|religion|konfession|kirche|ethnic|nationality|staatsangehorigkeit|nationalite|"
        "nacionalidad|citizenship|sexualorientation|veteran|unionmember|gewerkschaft|homeaddress|"
        "privatadresse|adressepersonnelle|direccionpersonal|homephone|privatephone|personalphone|"
        "personalmobile|telefonprivat|telefonnummerprivat|handyprivat|mobilprivat|privattelefon|privatnummer|"
        "privathandy|telephonepersonnel|telephoneperso|portablepersonnel|telefonopersonal|movilpersonal|"
        "homemobile|homecell",
        "sex sexe sexo race pronouns",
    ),
)
"""What we are not to hold: why, patterns anywhere in a heading, and whole words."""

PRIVATE_ADDRESS = N_("a private address")

_BRACKETS = re.compile(r"\[[^\]]*\]|\([^)]*\)|\{[^}]*\}")


def bare(text: str) -> str:
    """Small letters a-z and digits only, so that ``Prénom``, ``prenom`` and ``PRENOM:`` are the same."""
    return _bare(text)


@lru_cache(maxsize=8192)
def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


@cache
def _known() -> Mapping[str, tuple[str, int]]:
    known: dict[str, tuple[str, int]] = {}
    ranks: dict[str, int] = {}
    for line in re.sub(r",\n +", ", ", _FIELDS).strip().splitlines():
        field, _colon, headings = line.partition(": ")
        rank = ranks[field] = ranks.get(field, -1) + 1
        for heading in headings.split(","):
            known.setdefault(bare(heading), (field, rank))
    return known


@lru_cache(maxsize=4096)
def field_of(heading: str) -> tuple[str, int] | None:
    """The field that a heading names, and its place from the first choice; ``None`` for one of the company's own."""
    for written in _readings(heading):
        if found := _known().get(bare(written)):
            return found
    return None


def _readings(heading: str) -> Iterator[str]:
    if re.search(r"#|\b[Nn][°º]", heading):
        yield re.sub(r"#|\b[Nn][°º]", " number ", heading)
        yield re.sub(r"#|\b[Nn][°º]", " ", heading) + " number"
    yield heading
    outside = _BRACKETS.sub(" ", heading)
    yield outside
    yield re.sub(r"(?i)\b(required|optional|pflichtfeld|obligatoire|obligatorio|read only)\b|\*", " ", outside)
    # Entra puts its own name of the field in brackets
    yield from (found[1:-1] for found in re.findall(r"\[[^\]]*\]", heading))


def short_heading(heading: str) -> str:
    """Without what a form adds to it: ``Org Unit Path [Required]``, ``Department [department]``, ``Name*``."""
    return re.sub(r"\s*(\[[^\]]*\])+(\s*Required)?$|\s*\*$", "", heading) or heading


@lru_cache(maxsize=4096)
def sensitive(heading: str) -> str:
    """Why a column of this heading is not stored (a text of the catalog); empty where it may be."""
    whole = bare(heading)
    words = {bare(word) for word in re.split(r"[^\w]+|(?<=[a-z])(?=[A-Z])|_", heading)}
    field = field_of(heading)
    if (
        field
        and field[0] in KNOWN
        and not re.search(r"(?i)privat|personal\b|perso\b|personnel\b|home\b|particulier", heading)
    ):
        return ""
    for why, anywhere, alone in _SENSITIVE:
        if re.search(anywhere, whole) or words & set(alone.split()):
            return why
    private = re.search(r"(?i)\b(privat\w*|home|personal|perso|personnel\w*)\b", heading)
    return (
        PRIVATE_ADDRESS
        if private and re.search(r"(?i)mail|courriel|correo|phone|tel|mobil|handy|address|adress", heading)
        else ""
    )


@cache
def _written() -> Mapping[str, str]:
    """What to propose, by bare heading: our own name of a column, else the heading that people know."""
    headings = re.sub(r",\n +|\n\w+: |^\w+: ", ",", _FIELDS.strip()).split(",")
    return {bare(heading): heading.strip() for heading in headings if len(bare(heading)) > 4} | {
        bare(name): name for name in KNOWN
    }


@lru_cache(maxsize=4096)
def near_column(heading: str) -> tuple[str, str] | None:
    """The field that a heading nearly names, and what to write instead."""
    near = near_names(bare(heading), _written(), 1, LIKE_OURS)
    return (_known()[near[0]][0], _written()[near[0]]) if near else None


def names_columns(row: Sequence[str]) -> int:
    """How many cells of a row are headings that we know; 100 more where one of them is for addresses."""
    fields = {found[0] for cell in row if cell.strip() and len(cell) < 100 and (found := field_of(cell.strip()))}
    return len(fields) + 100 * ("email" in fields) if not any("@" in cell for cell in row) else 0
