"""Tests with faxes. Run them with: pytest"""


def test_a_fax_is_received(fauxfax):
    fauxfax.number(twiml="<Response><Receive/></Response>")
    conversation = fauxfax.receive(pages=2)
    assert conversation.outcome == "received"
    assert conversation.num_pages == 2
    fauxfax.verify({"kind": "fax.page", "data": {"page": 2, "text": {"contains": "Page 2 of 2"}}})
