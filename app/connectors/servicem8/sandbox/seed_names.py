"""Made-up people, businesses and work for the demo data, in several scripts. Any likeness is by chance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """What names, addresses and telephone numbers look like in one place."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    places: tuple[tuple[str, str, str], ...]  # town, state or region, post code
    streets: tuple[str, ...]
    trade_names: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    business: str
    address: str
    mobile: str
    domain: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


AUSTRALIA = Country(
    first_names=_words(
        "Olivia Noah Charlotte Jack Amelia William Isla Leo Mia Henry Grace Thomas Ruby Lachlan Chloe Cooper Zoe Hamish Ella Angus "
        "Priya Arjun Mei Wei Aisha Omar Sofia Mateo Ngaire Tane Freya Björn Siobhán Éamon Zoë François"
    ),
    last_names=_words(
        "Nguyen Smith Jones Williams Brown Wilson Taylor Singh Kelly Walker Murphy O'Brien Campbell Thompson Mitchell Papadopoulos "
        "Rossi Kowalski Chen Wong Patel Kaur Hughes Edwards Morgan Stewart Bennett Fraser McKenzie Doyle Ferrari Jovanović Müller "
        "Lefèvre Ångström Nuñez"
    ),
    places=(
        ("Fremantle", "WA", "6160"), ("Perth", "WA", "6000"), ("Subiaco", "WA", "6008"), ("Joondalup", "WA", "6027"),
        ("Rockingham", "WA", "6168"), ("Midland", "WA", "6056"), ("Scarborough", "WA", "6019"), ("Mandurah", "WA", "6210"),
        ("Cottesloe", "WA", "6011"), ("Armadale", "WA", "6112"), ("Victoria Park", "WA", "6100"), ("Leederville", "WA", "6007"),
    ),
    streets=(
        "High St", "Beaufort St", "Canning Hwy", "Marine Pde", "Wellington St", "Hay St", "South Tce", "Stirling Hwy", "Railway Pde",
        "Oxford St", "Broadway", "Albany Hwy",
    ),
    trade_names=(
        "Swan River", "Harbour", "Black Cockatoo", "Kings Park", "Quokka", "Banksia", "Southern Cross", "Limestone", "Norfolk Pine",
        "Indian Ocean", "Red Dust", "Wattle", "Jarrah", "Freo Doctor", "Sunset Coast", "Rottnest", "Bluewater", "Karri",
    ),
    trades=(
        "Dental", "Bakery", "Physiotherapy", "Veterinary Clinic", "Strata Management", "Coffee Roasters", "Early Learning", "Motors",
        "Property Group", "Brewing", "Pharmacy", "Gymnasium", "Joinery", "Seafoods", "Medical Centre", "Aged Care", "Hotel", "Books",
        "Nursery", "Cold Storage",
    ),
    forms=("Pty Ltd", "Pty Ltd", "", "& Sons", "Group"),
    business="{trade_name} {trade} {place} {form}",
    address="{number} {street}, {place} {state} {postcode}",
    mobile="+614{digits:08d}",
    domain="au.test",
)  # fmt: skip

SLOVENIA = Country(
    first_names=_words(
        "Žiga Špela Črt Anže Nuša Matjaž Živa Blaž Maša Andraž Neža Jurij Tjaša Rok Urška Gašper Katja Luka Eva Aljaž Saša Boštjan "
        "Jožica Mojca Tadej Petra Žan Zala Simon Polona"
    ),
    last_names=_words(
        "Kovačič Žagar Šuštar Krajnc Zupančič Novak Horvat Potočnik Mlakar Vidmar Kos Golob Turk Božič Kralj Korošec Bizjak Kotnik "
        "Rozman Hribar Kavčič Oblak Žnidaršič Jerman Hočevar Čeh Šinkovec Uršič Lešnik Rupnik"
    ),
    places=(
        ("Ljubljana", "Osrednja Slovenija", "1000"), ("Škofja Loka", "Gorenjska", "4220"), ("Kočevje", "Dolenjska", "1330"),
        ("Žalec", "Savinjska", "3310"), ("Črnomelj", "Bela krajina", "8340"), ("Maribor", "Podravje", "2000"),
        ("Koper", "Obala", "6000"), ("Novo mesto", "Dolenjska", "8000"), ("Tržič", "Gorenjska", "4290"), ("Ajdovščina", "Goriška", "5270"),
    ),
    streets=(
        "Čopova ulica", "Tržaška cesta", "Slovenska cesta", "Prešernova cesta", "Žabjak", "Šmartinska cesta", "Cankarjeva ulica",
        "Vodovodna cesta", "Kidričeva ulica", "Pot k sejmišču",
    ),
    trade_names=(
        "Žito", "Šampionka", "Češnja", "Triglav", "Ljubljanica", "Planika", "Gorski vrelec", "Kurent", "Zlatorog", "Lipa", "Soča",
        "Mlin", "Stara šola", "Pri mostu", "Bohinj", "Sončnica",
    ),
    trades=(
        "Pekarna", "Gostilna", "Zobna ordinacija", "Vrtec", "Mizarstvo", "Knjigarna", "Lekarna", "Avtohiša", "Upravnik", "Čebelarstvo",
        "Pivovarna", "Hotel", "Cvetličarna", "Tiskarna", "Mlekarna", "Fizioterapija",
    ),
    forms=("d.o.o.", "d.o.o.", "s.p.", "d.d.", ""),
    business="{trade} {trade_name} {place} {form}",
    address="{street} {number}, {postcode} {place}",
    mobile="+3864{digits:07d}",
    domain="si.test",
)  # fmt: skip

COUNTRIES = {"Australia": AUSTRALIA, "Slovenia": SLOVENIA}

# Clients whose names have emoji or are read from right to left.
SPECIAL_COMPANIES = (
    "☕ Corner Coffee",
    "Bloom & Co 🌸",
    "Pizza 🍕 Palace",
    "Flats 👩‍👩‍👧‍👦 Strata",
    "מאפיית הגליל בע״מ",
    "דוד כהן",
    "مخبز النور",
    "شركة الأمل للكهرباء",
    "Café “El Niño” – Żółć",
    "東京ラーメン Perth",
    "Čevljarstvo Šuštar & Žena",
    "Zażółć gęślą jaźń",
)
SPECIAL_PEOPLE = (("דוד", "כהן"), ("فاطمة", "الحسن"), ("Žofija", "Črešnik"), ("Zoë 🌊", "O’Neill"))

# What lines are for: name, unit price without tax, and whether it is sold in parts of a unit.
LINE_ITEMS = (
    ("Labour – licensed electrician", "98.5000", True),
    ("Call-out fee", "120.0000", False),
    ("Switchboard upgrade, 12 pole", "1650.0000", False),
    ("RCBO 20 A", "64.9000", False),
    ("LED downlight 9 W", "38.2500", False),
    ("TPS cable 2.5 mm² (m)", "3.1500", True),
    ("Conduit 25 mm (m)", "4.8000", True),
    ("Smoke alarm, interconnected", "145.0000", False),
    ("EV charger 7 kW", "1390.0000", False),
    ("Ceiling fan with light ✨", "289.0000", False),
    ("Delo – električar (ura)", "42.0000", True),
    ("Razdelilna omarica, čiščenje in pregled", "310.0000", False),
    ("Trenching (m)", "55.3333", True),
    ("Test and certificate", "180.0000", False),
    ("Travel (km)", "0.8800", True),
)

WORK = (
    "Replace switchboard and fit safety switches",
    "Install LED downlights in the kitchen",
    "Investigate tripping circuit in the shed",
    "Rewire the rear extension",
    "Fit smoke alarms to current code",
    "Install an EV charger in the garage",
    "Annual test and tag",
    "Zamenjava razdelilne omarice in pregled napeljave",
    "Namestitev zunanje razsvetljave ob dovozu",
    "תיקון לוח חשמל וחיווט מחדש",
    "استبدال لوحة الكهرباء الرئيسية",
    "Emergency call-out: no power ⚡",
)
