"""What the invented shop sells, to whom, and on which devices it is seen."""

from typing import NamedTuple


class Product(NamedTuple):
    """One article; `price` is in the shop's currency, in cents."""

    product_id: str
    sku: str
    name: str
    category: str
    brand: str
    variant: str
    price: int


# Two names hold characters that a page or a notebook must escape.
PRODUCTS = (
    Product("p-01", "TEA-01", "Morning Fog", "Teas", "Leaf", "50 g", 690),
    Product("p-02", "TEA-02", "Morning Fog", "Teas", "Leaf", "250 g", 2690),
    Product("p-03", "TEA-03", "Harbour Breakfast", "Teas", "Leaf", "100 g", 990),
    Product("p-04", "TEA-04", "Smoked Pine", "Teas", "Leaf", "100 g", 1250),
    Product("p-05", "TEA-05", "Nettle & Mint", "Teas", "Leaf", "75 g", 850),
    Product("p-06", "TEA-06", "Quince Garden", "Teas", "Orchard", "100 g", 1190),
    Product("p-07", "TEA-07", "First Flush No. 4", "Teas", "Orchard", "50 g", 1890),
    Product("p-08", "TEA-08", "Grandmother's *Secret*", "Teas", "Orchard", "100 g", 1090),
    Product("p-09", "TEA-09", "Jasmine at Dusk", "Teas", "Leaf", "100 g", 1350),
    Product("p-10", "TEA-10", "Rooibos Ember", "Teas", "Leaf", "100 g", 790),
    Product("p-11", "LAN-01", "Table lantern Wren", "Lanterns", "Lantern", "brass", 3900),
    Product("p-12", "LAN-02", "Table lantern Wren", "Lanterns", "Lantern", "black", 3900),
    Product("p-13", "LAN-03", "Storm lantern Petrel", "Lanterns", "Lantern", "red", 5400),
    Product("p-14", "LAN-04", "Paper lantern Moth", "Lanterns", "Fold", "white", 2400),
    Product("p-15", "LAN-05", "Paper lantern Moth", "Lanterns", "Fold", "ochre", 2400),
    Product("p-16", "LAN-06", 'Lantern "Glow" <script>alert("tea")</script>', "Lanterns", "Fold", "blue", 2900),
    Product("p-17", "LAN-07", "Garden lantern Heron", "Lanterns", "Lantern", "zinc", 8900),
    Product("p-18", "GIF-01", "Tasting box", "Gifts", "Leaf", "6 x 20 g", 2290),
    Product("p-19", "GIF-02", "Evening box: tea and lantern", "Gifts", "Leaf", "one size", 4900),
    Product("p-20", "ACC-01", "Tea strainer", "Accessories", "Orchard", "steel", 1290),
    Product("p-21", "ACC-02", "Beeswax candles", "Accessories", "Lantern", "set of 4", 1150),
    Product("p-22", "ACC-03", "Stoneware cup", "Accessories", "Orchard", "grey", 1690),
)

FIRST_NAMES = [
    "Ada",
    "Bela",
    "Cato",
    "Dorit",
    "Edda",
    "Falk",
    "Gesa",
    "Hanno",
    "Ilka",
    "Jarl",
    "Kaja",
    "Leif",
    "Mira",
    "Nils",
    "Oda",
    "Piet",
    "Quint",
    "Runa",
    "Sven",
    "Tove",
    "Ulla",
    "Veit",
    "Wanda",
    "Xaver",
    "Ylva",
    "Zeno",
]
LAST_NAMES = [
    "Almgren",
    "Birkwood",
    "Calloway",
    "Dunmore",
    "Eskild",
    "Farrow",
    "Glenmoor",
    "Hartling",
    "Ibsley",
    "Jorvik",
    "Kestrel",
    "Lindqvane",
    "Marlowe",
    "Norrin",
    "Oakhurst",
    "Pellam",
    "Quarry",
    "Rosling",
    "Stenmark",
    "Thornley",
    "Umber",
    "Vesterby",
    "Wexcombe",
    "Yarrow",
    "Zander",
]
MAIL_HOSTS = ("example.com", "example.net", "example.org")

PHONES = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
)
DESKTOPS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
)
TABLETS = (
    "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1",
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/137.0.0.0 Safari/537.36",
)
