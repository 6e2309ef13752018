"""What is remembered of texts that clients send: each judged once, few of them, and none that is long."""

from server.transport import verdicts
from server.transport.verdicts import Verdicts


class Judge:
    """Says how long a text is, and which texts it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, text: str) -> int:
        self.asked.append(text)
        return len(text)


def test_a_text_is_judged_once_and_each_on_its_own() -> None:
    judge = Judge()
    lengths = Verdicts(judge)
    assert [lengths["a"], lengths["bb"], lengths["a"], lengths["A"]] == [1, 2, 1, 1]
    assert judge.asked == ["a", "bb", "A"]


def test_a_long_text_is_judged_anew_and_not_kept() -> None:
    judge = Judge()
    lengths = Verdicts(judge)
    longest, longer = "x" * verdicts.LONGEST, "x" * (verdicts.LONGEST + 1)
    for _ in range(2):
        assert (lengths[longest], lengths[longer]) == (verdicts.LONGEST, verdicts.LONGEST + 1)
    assert judge.asked == [longest, longer, longer]
    assert list(lengths) == [longest]


def test_however_many_texts_come_few_are_kept() -> None:
    judge = Judge()
    lengths = Verdicts(judge)
    for number in range(10 * verdicts.MOST):
        assert lengths[f"{number:05}"] == 5
        assert len(lengths) <= verdicts.MOST
    assert lengths["00000"] == 5
    assert judge.asked.count("00000") == 2
