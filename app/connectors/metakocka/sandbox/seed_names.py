"""The words that seeded records are made of, and how they are chosen."""

SURNAMES = (
    "Novak", "Horvat", "Kovačič", "Krajnc", "Zupančič", "Potočnik", "Kovač", "Mlakar", "Vidmar", "Kos", "Golob", "Turk",
    "Božič", "Korošec", "Žagar", "Šuštar", "Čuk", "Žnidaršič", "Kralj", "Zajc", "Hribar", "Rozman", "Oblak",
)  # fmt: skip
FIRST_NAMES = (
    "Ana", "Marija", "Maja", "Mojca", "Nataša", "Špela", "Živa", "Franc", "Janez", "Marko", "Andrej", "Žiga", "Črt",
    "Matej", "Blaž", "Luka", "Uroš", "Aleš", "Boštjan",
)  # fmt: skip
TRADES = (
    "Elektro", "Kovinarstvo", "Mizarstvo", "Čistilni servis", "Inženiring", "Športna oprema", "Gradnje", "Klima servis",
    "Vrtnarstvo", "Pekarna", "Tiskarna", "Računovodstvo", "Avtohiša", "Strojne inštalacije", "Žaluzije", "Ključavničarstvo",
)  # fmt: skip
STREETS = (
    "Dunajska cesta", "Celovška cesta", "Tržaška cesta", "Čopova ulica", "Šmartinska cesta", "Župančičeva ulica",
    "Prešernova ulica", "Cankarjeva cesta", "Gregorčičeva ulica", "Kidričeva cesta", "Železna cesta",
)  # fmt: skip
TOWNS = (
    ("1000", "Ljubljana"), ("2000", "Maribor"), ("3000", "Celje"), ("4000", "Kranj"), ("5000", "Nova Gorica"), ("6000", "Koper"),
    ("8000", "Novo mesto"), ("9000", "Murska Sobota"), ("4270", "Jesenice"), ("3320", "Velenje"), ("5270", "Ajdovščina"),
    ("4220", "Škofja Loka"), ("3310", "Žalec"),
)  # fmt: skip
ABROAD = (("1010", "Wien", "Avstrija"), ("34121", "Trieste", "Italija"), ("10000", "Zagreb", "Hrvaška"), ("80331", "München", "Nemčija"))
WORKS = (
    "Montaža klimatske naprave", "Servis kotla", "Zamenjava oken", "Prenova kopalnice", "Čiščenje prostorov", "Pregled inštalacij",
    "Dobava materiala", "Vzdrževanje vozil", "Tisk katalogov", "Žaluzije za pisarno",
)  # fmt: skip
MATERIALS = (
    "Kabel NYM 3×1,5",
    "Vijak M8",
    "Toplotna črpalka",
    "Filter zraka",
    "Čistilo",
    "Ležaj",
    "Žarnica LED",
    "Cev PVC",
    "Barva",
    "Ključavnica",
)
SERVICES = ("Delovna ura", "Prevoz", "Pregled", "Šolanje", "Priklop naprave")

_MIX = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def chance(seed: int, index: int, salt: int = 0) -> int:
    """A number of 64 bits that depends on its arguments alone."""
    state = ((index + 1) * _MIX + (seed + 1) * 0xD1B54A32D192ED03 + salt * 0x94D049BB133111EB) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    return state ^ (state >> 31)


class Dice:
    """Choices that depend on a seed and a record's number alone, and are quicker than a random generator for each record."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, index: int, salt: int) -> None:
        self._state = chance(seed, index, salt)

    def below(self, count: int) -> int:
        """The next number from 0 to below `count`."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return (self._state >> 33) % count
