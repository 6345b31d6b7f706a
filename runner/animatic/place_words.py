"""Words that name a place, and the drawing that each calls for."""

import re
from collections.abc import Mapping

PLACES: Mapping[str, str] = {
    r"\bspace\b|planet|galaxy|astronaut|spaceship|太空": "space",
    r"packshot|product shot|\bproduct\b|plinth|turntable|seamless|perfume|bottle of|sneaker|macro shot": "product",
    r"concert|on stage|\bstage\b|spotlight|nightclub|dance ?floor|\bband\b|festival|\bgig\b|ballroom|theat(?:re|er)": (
        "concert"
    ),
    r"\bdoor\b|doorway|corridor|hallway|threshold|staircase|stairwell": "door",
    r"\bbar\b|tavern|\bpub\b|counter\b|bartender|cocktail|diner\b": "bar",
    r"kitchen|\broom\b|caf[eé]|bedroom|office|library|interior|\btable\b|bakery|workshop|restaurant|apartment|\bflat\b"
    r"|living room|classroom|hospital|\bstudy\b|\bcabin\b|\bbarn\b|garage|laboratory|\blab\b|厨房": "room",
    r"\broofs?\b|rooftops?|terrace|old town|village|terracotta|alfama|chimneys": "roofs",
    r"harbou?r|\bquay|\bdocks?\b|\bport\b|\bpier\b|\bjetty\b|fishing boat|港": "harbour",
    r"street|alley|market|neon|tram\b|sidewalk|pavement|crosswalk|\bshop|\bbridge\b|\bplaza\b|\bsquare\b|街": "street",
    r"skyline|\bcity\b|downtown|skyscraper|tokyo|new york|lisbon|porto\b|berlin|paris|london|城": "skyline",
    r"\bsea\b|ocean|beach|shore|\bwaves?\b|\blake\b|river|\bboat|\bship|island|coast|海": "sea",
    r"\broads?\b|highway|\bcar\b|drives?\b|driving|motorcycle|truck drives|\bdesert road\b": "road",
    r"desert|\bdunes?\b|sahara": "desert",
    r"forest|\bwoods\b|jungle|\btrees\b|\bpark\b|garden|orchard|林": "forest",
    r"mountain|\bhills?\b|meadow|valley|\bfields?\b|\bcliffs?\b|\balps?\b|countryside": "hills",
    r"\bstudio\b": "product",
}
"""The name of a drawing by the words that call for it."""


def names_place(text: str) -> bool:
    """Whether a text (in lower case) names a place."""
    return any(re.search(pattern, text) for pattern in PLACES)


def place_in(text: str) -> str | None:
    """The drawing that a text (in lower case) names most often, the earlier one of two equals; None without any."""
    candidates = []
    for order, (pattern, name) in enumerate(PLACES.items()):
        matches = list(re.finditer(pattern, text))
        if matches:
            candidates.append((-len(matches), matches[0].start(), order, name))
    return min(candidates)[3] if candidates else None
