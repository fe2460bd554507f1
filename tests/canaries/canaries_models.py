"""A small language model, really trained: characters after the five before them."""

import math
from collections import Counter, defaultdict

import numpy as np

ORDER = 5
_LETTERS = 96


class CharacterModel:
    """Counts of each character after up to five others, smoothed as Witten and Bell did."""

    def __init__(self, rows):
        self._counts = [defaultdict(Counter) for _ in range(ORDER + 1)]
        for row in rows:
            text = "\x02" * ORDER + row + "\x03"
            for place in range(ORDER, len(text)):
                for order in range(ORDER + 1):
                    self._counts[order][text[place - order : place]][text[place]] += 1

    def _probability(self, context, letter):
        p = 1 / _LETTERS
        for order in range(ORDER + 1):
            seen = self._counts[order].get(context[len(context) - order :])
            if seen is None:
                break
            total, kinds = seen.total(), len(seen)
            p = (seen[letter] + kinds * p) / (total + kinds)
        return p

    def log_probability(self, texts):
        return np.array([self._log(text) for text in texts])

    def _log(self, text):
        padded = "\x02" * ORDER + text
        return sum(
            math.log(self._probability(padded[place - ORDER : place], padded[place]))
            for place in range(ORDER, len(padded))
        )

    def complete(self, prompt, *, most=20):
        """The most probable next character, again and again."""
        text = "\x02" * ORDER + prompt
        for _ in range(most):
            seen = next(
                counts[text[len(text) - order :]]
                for order, counts in reversed([*enumerate(self._counts)])
                if text[len(text) - order :] in counts
            )
            (letter, _), *_ = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
            if letter == "\x03":
                break
            text += letter
        return text[ORDER + len(prompt) :]
