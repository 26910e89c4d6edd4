"""What the embedded model learns to draw, and the words for it."""

from dataclasses import dataclass

__all__ = ["BENCHMARK_CONCEPTS", "CONCEPTS", "FURTHER_DRAWINGS", "STYLES", "Concept", "Style"]


@dataclass(frozen=True)
class Style:
    """A way of drawing: its word in prompts, the package with its drawings, the licence and whom to name."""

    word: str
    package: str
    version: str
    licence: str
    attribution: str


@dataclass(frozen=True)
class Concept:
    """A thing to draw: the icon's name in every package, and the words that mean it, the usual one first."""

    icon: str
    words: tuple[str, ...]


STYLES = (
    Style("noto", "@iconify-json/noto", "1.2.9", "Apache-2.0", "Noto Emoji by Google Inc"),
    Style(
        "twemoji",
        "@iconify-json/twemoji",
        "1.2.5",
        "CC-BY-4.0",
        "Twemoji graphics by Twitter, Inc and other contributors, CC-BY 4.0",
    ),
)

# Seen only by the VAE, which then knows more shapes and colours than the concepts have.
FURTHER_DRAWINGS = (
    Style(
        "fluent", "@iconify-json/fluent-emoji-flat", "1.2.6", "MIT", "Fluent Emoji by Microsoft Corporation"
    ),
)


def _concepts(table: str) -> tuple[Concept, ...]:
    """Read lines of `icon: other word, other word`; the usual word is the icon's name without hyphens."""
    found = []
    for line in table.strip().splitlines():
        icon, _, others = (part.strip() for part in line.partition(":"))
        words = [icon.replace("-", " "), *(word.strip() for word in others.split(",") if word.strip())]
        found.append(Concept(icon, tuple(words)))
    return tuple(found)


CONCEPTS = _concepts(
    """
    cat-face: cat, kitten
    dog-face: dog, puppy
    panda: panda face
    koala: koala face
    tiger-face: tiger
    lion: lion face
    cow-face: cow
    pig-face: pig
    frog: frog face
    monkey-face: monkey
    chicken: hen
    penguin
    owl
    fox: fox face
    rabbit-face: rabbit, bunny
    unicorn: unicorn face
    turtle: tortoise
    octopus
    spouting-whale: whale
    tropical-fish: fish
    crab
    butterfly
    lady-beetle: ladybug, ladybird
    honeybee: bee
    elephant
    snail
    red-apple: apple
    green-apple
    banana
    grapes
    watermelon
    lemon
    tangerine: orange fruit
    strawberry
    cherries: cherry
    pineapple
    peach
    pear
    tomato
    eggplant: aubergine
    carrot
    ear-of-corn: corn, maize
    avocado
    hamburger: burger
    pizza: slice of pizza
    french-fries: fries, chips
    hot-dog
    cookie: biscuit
    doughnut: donut
    birthday-cake: cake
    soft-ice-cream: ice cream
    lollipop
    cheese-wedge: cheese
    beer-mug: beer
    wine-glass: glass of wine, wine
    hot-beverage: cup of coffee, coffee
    broccoli
    mushroom: toadstool
    sunflower
    tulip
    rose: red rose
    cactus
    palm-tree: palm
    evergreen-tree: fir tree, pine tree
    deciduous-tree: tree
    four-leaf-clover: clover
    sun
    crescent-moon: moon
    star: yellow star
    rainbow
    cloud
    snowflake
    snowman
    fire: flame
    droplet: water drop
    high-voltage: lightning bolt, lightning
    globe-showing-europe-africa: globe, earth
    grinning-face: smiling face, happy face, smiley
    smiling-face-with-sunglasses: cool face
    loudly-crying-face: crying face
    enraged-face: angry face, pouting face
    robot: robot face
    ghost
    alien: alien face
    skull
    jack-o-lantern: halloween pumpkin, pumpkin
    red-heart: heart
    blue-heart
    soccer-ball: football
    basketball
    balloon: red balloon
    wrapped-gift: gift, present
    light-bulb: lamp
    crown
    gem-stone: gem, diamond
    trophy: cup
    automobile: car, red car
    rocket
    sailboat: sailing boat, boat
    house
    christmas-tree
    guitar
    key
    bell
    """
)

BENCHMARK_CONCEPTS = CONCEPTS[:100]
