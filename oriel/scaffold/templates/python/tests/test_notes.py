"""python tests/test_notes.py"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import notes


class Notes(unittest.TestCase):
    def test_a_text_is_trimmed(self) -> None:
        self.assertEqual(notes.checked("  Buy milk "), "Buy milk")

    def test_what_is_no_text_is_refused_with_the_limit(self) -> None:
        for text in (None, 7, "", "   ", "x" * 281):
            with self.assertRaisesRegex(ValueError, "1 to 280"):
                notes.checked(text)

    def test_a_later_note_comes_first(self) -> None:
        self.assertLess(notes.newest_first(2_000, 1), notes.newest_first(1_000, 1))


if __name__ == "__main__":
    unittest.main()
