# SPDX-License-Identifier: MIT
"""The pages: a made-up gazetteer of a coastal district, the same for the same seed."""

import random

FIRST = (
    "light steam water wind iron glass stone salt coal river harbour bridge paper copper "
    "field timber slate signal market canal"
).split()
SECOND = (
    "house works road line gate yard ship wheel keeper side master mill wright wharf tower pool"
).split()
ADJECTIVES = (
    "old narrow public disused famous northern private seasonal modest restored crowded "
    "temporary early splendid neighbouring municipal"
).split()
NOUNS = (
    "parish owner company council visitor collection building survey railway family winter "
    "century exhibition regulation painting harvest delivery committee foundation engineer "
    "apprentice newspaper granary"
).split()
VERBS = (
    "supplied crossed replaced connected described financed admired measured rebuilt visited "
    "employed documented inherited extended inspected sold"
).split()
LINKS = "because although while before after until whereas".split()
TAGS = "industry transport buildings people nature trade archive festivals".split()

PARAGRAPH_SENTENCES = (3, 6)
SECTION_PARAGRAPHS = (1, 3)
SECTIONS = (1, 3)


class Page:
    """One page: its name is also how others link to it."""

    __slots__ = ("name", "title", "tags", "source", "revision")

    def __init__(self, name, title, tags, source):
        self.name = name
        self.title = title
        self.tags = tags
        self.source = source
        self.revision = 1


def names():
    """The names of all pages; each is an ordinary word of the text as well."""
    return [first + second for first in FIRST for second in SECOND]


class Author:
    """Writes pages with a random generator of its own."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = names()

    def clause(self):
        pick = self.random.choice
        subject = pick(self.names) if self.random.random() < 0.25 else pick(NOUNS)
        target = pick(self.names) if self.random.random() < 0.15 else pick(NOUNS)
        return f"the {pick(ADJECTIVES)} {subject} {pick(VERBS)} the {pick(ADJECTIVES)} {target}"

    def sentence(self):
        text = self.clause()
        while self.random.random() < 0.45:
            text += f" {self.random.choice(LINKS)} {self.clause()}"
        if self.random.random() < 0.3:
            text += f" in {self.random.randint(1711, 1989)}"
        return text[0].upper() + text[1:] + "."

    def emphasised(self, sentence):
        """Marks a word or two of a sentence."""
        words = sentence.split()
        at = self.random.randrange(len(words))
        mark = self.random.choice(("''", "'''", "`"))
        words[at] = mark + words[at].rstrip(".") + mark
        if self.random.random() < 0.5:
            words.insert(at, f"[[{self.random.choice(self.names)}|see there]]")
        return " ".join(words)

    def paragraph(self):
        sentences = [self.sentence() for _ in range(self.random.randint(*PARAGRAPH_SENTENCES))]
        at = self.random.randrange(len(sentences))
        sentences[at] = self.emphasised(sentences[at])
        return " ".join(sentences)

    def bullets(self):
        lines = []
        for _ in range(self.random.randint(3, 6)):
            lines.append("* " + self.clause())
            if self.random.random() < 0.4:
                lines.append("** " + self.clause())
        return "\n".join(lines)

    def table(self):
        rows = ["|= year |= event |= source |"]
        for _ in range(self.random.randint(3, 7)):
            year = self.random.randint(1711, 1989)
            rows.append(f"| {year} | {self.clause()} | [[{self.random.choice(self.names)}]] |")
        return "\n".join(rows)

    def quotation(self):
        return "\n".join("> " + self.sentence() for _ in range(2))

    def section(self):
        heading = f"== {self.random.choice(ADJECTIVES)} {self.random.choice(NOUNS)} =="
        blocks = [heading.replace("== ", "== The ", 1)]
        blocks += [self.paragraph() for _ in range(self.random.randint(*SECTION_PARAGRAPHS))]
        extra = self.random.choice((self.bullets, self.table, self.quotation, None))
        if extra:
            blocks.append(extra())
        return "\n\n".join(blocks)

    def page(self, name):
        sections = [self.section() for _ in range(self.random.randint(*SECTIONS))]
        source = f"= {name.capitalize()} =\n\n{self.paragraph()}\n\n" + "\n\n".join(sections)
        tags = sorted(self.random.sample(TAGS, self.random.randint(1, 3)))
        return Page(name, name.capitalize(), tags, source)


def generate(seed):
    author = Author(seed)
    return [author.page(name) for name in author.names]
