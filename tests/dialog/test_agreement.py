"""
Two ends that talk over a bad link never disagree on the session or on the order.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from tests import LONG
from tests.dialog.phones import WISHES, Phone, established

_PLACES = st.integers(0, 30)
_SIDES = st.integers(0, 1)


class Talk(RuleBasedStateMachine):
    """
    Whatever the phones do and the link does to their messages.
    """

    phones: tuple[Phone, Phone]

    @initialize()
    def call(self) -> None:
        self.phones = established()
        self.link = self.phones[0].link

    def is_going_on(self) -> bool:
        return not self.link.is_over

    def has_messages(self) -> bool:
        return bool(self.link.under_way) and self.is_going_on()

    # What the users do

    @rule(side=_SIDES, wish=st.sampled_from(WISHES), in_prack=st.booleans())
    def wish(self, side: int, wish: tuple[int, object], in_prack: bool) -> None:
        """
        One wants something else.
        """
        phone = self.phones[side]
        phone.wish = next(each for each in WISHES if each == wish)
        phone.offers_in_prack = in_prack

    @precondition(is_going_on)
    @rule(side=_SIDES, with_offer=st.booleans())
    def reinvite(self, side: int, with_offer: bool) -> None:
        """
        One sends an INVITE, with an offer or without.
        """
        if self.phones[side].may_change("INVITE"):
            self.phones[side].change("INVITE", with_offer=with_offer)

    @precondition(is_going_on)
    @rule(side=_SIDES, wish=st.sampled_from(WISHES), is_lost=st.booleans())
    def reinvite_and_ring(
        self, side: int, wish: tuple[int, object], is_lost: bool
    ) -> None:
        """
        One sends an INVITE, and the other answers it early: the state in which most can
        go wrong, and which chance alone seldom finds.
        """
        phone = self.phones[side]
        self.wish(side, wish, in_prack=False)
        self.reinvite(side, with_offer=True)
        self.deliver_everything()
        if phone.other.invite is not None:
            self.ring(1 - side, reliably=True, with_body=True)
            if is_lost:
                self.link.under_way.clear()

    @precondition(is_going_on)
    @rule(side=_SIDES)
    def update(self, side: int) -> None:
        """
        One sends an UPDATE with an offer.
        """
        phone = self.phones[side]
        if phone.may_change("UPDATE") and phone.invite is None:
            phone.change("UPDATE")

    @precondition(is_going_on)
    @rule(side=_SIDES)
    def info(self, side: int) -> None:
        """
        One sends a request that has nothing to do with the session.
        """
        self.phones[side].ask("INFO")

    @precondition(is_going_on)
    @rule(side=_SIDES, reliably=st.booleans(), with_body=st.booleans())
    def ring(self, side: int, reliably: bool, with_body: bool) -> None:
        """
        One sends a 183 to an INVITE.
        """
        phone = self.phones[side]
        if phone.invite is not None and not phone.is_finishing():
            phone.ring(reliably=reliably, with_body=with_body)

    @precondition(is_going_on)
    @rule(side=_SIDES, status=st.sampled_from((200, 487, 488)))
    def answer(self, side: int, status: int) -> None:
        """
        One sends the final response to an INVITE.
        """
        phone = self.phones[side]
        if phone.invite is not None and not phone.is_finishing():
            phone.accept(status)

    # What the link does

    @precondition(has_messages)
    @rule(place=_PLACES)
    def deliver(self, place: int) -> None:
        """
        One message arrives, not always the oldest.
        """
        self.link.deliver(place)

    @precondition(has_messages)
    @rule()
    def deliver_all(self) -> None:
        """
        All messages arrive, in order.
        """
        for _ in range(len(self.link.under_way)):
            self.link.deliver(0)

    @precondition(has_messages)
    @rule(place=_PLACES)
    def lose(self, place: int) -> None:
        """
        One message does not arrive.
        """
        del self.link.under_way[place % len(self.link.under_way)]

    @precondition(has_messages)
    @rule(place=_PLACES)
    def double(self, place: int) -> None:
        """
        One message arrives twice.
        """
        self.link.under_way.append(
            self.link.under_way[place % len(self.link.under_way)]
        )

    @precondition(is_going_on)
    @rule(side=_SIDES)
    def repeat(self, side: int) -> None:
        """
        One sends its requests again.
        """
        self.phones[side].repeat()

    @precondition(is_going_on)
    @rule(seconds=st.sampled_from((0.5, 2.0, 8.0)))
    def wait(self, seconds: float) -> None:
        """
        Time passes.
        """
        self.link.now += seconds
        for phone in self.phones:
            phone.tick()

    # What must be

    @invariant()
    def requests_are_in_order(self) -> None:
        """
        The numbers of the requests that were let pass rise.
        """
        for phone in getattr(self, "phones", ()):
            assert phone.numbers == sorted(set(phone.numbers)), phone.numbers

    def teardown(self) -> None:
        """
        When all has arrived that is to arrive, both think the same.
        """
        if not hasattr(self, "phones"):
            return
        self.settle()
        for phone in self.phones:
            while phone.is_out_of_step and not self.link.is_over:
                phone.is_out_of_step = False
                phone.change("INVITE")
                self.settle()
        if self.link.is_over:
            return
        one, other = self.phones
        assert one.session.local == other.session.remote
        assert other.session.local == one.session.remote
        for phone in self.phones:
            assert phone.may_change("INVITE")
            assert (phone.dialog.remote_cseq or 0) <= phone.other.dialog.local_cseq

    def settle(self) -> None:
        """
        Let everything come to its end.
        """
        for _ in range(100):
            self.deliver_everything()
            for phone in self.phones:
                if phone.invite is not None and not phone.is_finishing():
                    phone.accept()
                phone.repeat()
            self.deliver_everything()
            if self.link.is_over or self.is_quiet():
                return
            due = [phone.next_timer() for phone in self.phones]
            self.link.now = min((each for each in due if each), default=self.link.now)
            for phone in self.phones:
                phone.tick()
        raise AssertionError("it does not come to an end")

    def deliver_everything(self) -> None:
        while self.has_messages():
            self.link.deliver(0)

    def is_quiet(self) -> bool:
        return not self.link.under_way and not any(
            phone.asked or phone.invite or phone.next_timer() for phone in self.phones
        )


class AgreementTests(SynchronousTestCase):
    def test_over_a_bad_link(self) -> None:
        """
        Whatever two phones do, and however many of their messages are lost, doubled or
        late: in the end both have the same session, each as the other has it.
        """
        run_state_machine_as_test(
            Talk,
            settings=settings(
                max_examples=2000 if LONG else 60,
                stateful_step_count=60,
                deadline=None,
            ),
        )
