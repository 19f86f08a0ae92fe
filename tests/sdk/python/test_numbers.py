"""Tests searching, buying, changing and releasing numbers. All versions of the library have these calls."""

import datetime
import re

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from conftest import BUYABLE, properties


def refused_with(status, code, call, *arguments, **options):
    with pytest.raises(TwilioRestException) as refused:
        call(*arguments, **options)
    assert (refused.value.status, refused.value.code) == (status, code), refused.value.msg
    return refused.value.msg


def fax_offer(client, number_list="local", country="US", **filters):
    offers = client.available_phone_numbers(country)
    return getattr(offers, number_list).list(fax_enabled=True, limit=1, **filters)[0]


def test_offers_are_found_by_area_code_and_capability(client):
    offers = client.available_phone_numbers("US").local.list(area_code=415, fax_enabled=True, limit=2)
    assert len(offers) == 2
    for offer in offers:
        assert re.fullmatch(r"\+1415[2-9]\d{6}", str(offer.phone_number))
        assert re.fullmatch(r"\(415\) \d{3}-\d{4}", str(offer.friendly_name))
        assert (offer.iso_country, offer.region) == ("US", "CA")
        assert offer.capabilities["fax"] is True and set(offer.capabilities) == {"voice", "SMS", "MMS", "fax"}
        assert isinstance(offer.beta, bool)
    without = client.available_phone_numbers("US").local.list(fax_enabled=False, limit=5)
    assert [offer.capabilities["fax"] for offer in without] == [False] * 5


def test_a_repeated_search_returns_the_same_offers(client):
    search = client.available_phone_numbers("US").local
    first = [offer.phone_number for offer in search.list(in_region="NY", limit=20)]
    assert len(set(first)) == 20
    assert [offer.phone_number for offer in search.list(in_region="NY", limit=20)] == first
    assert [offer.phone_number for offer in search.list(in_region="NY", limit=5)] == first[:5]


def test_offers_are_filtered_by_digits_and_region(client):
    search = client.available_phone_numbers("US").local
    assert all("55" in offer.phone_number for offer in search.list(contains="55", limit=10))
    assert {offer.region for offer in search.list(in_region="NY", limit=10)} == {"NY"}


@pytest.mark.parametrize("country, kind", [("US", "toll_free"), ("GB", "mobile"), ("JP", "local"), ("CA", "local")])
def test_each_country_sells_its_kinds_of_numbers(client, country, kind):
    offers = getattr(client.available_phone_numbers(country), kind).list(limit=3)
    assert {offer.iso_country for offer in offers} == {country}
    assert len(offers) == 3


def test_countries_name_the_lists_they_have(client):
    countries = {country.country_code: country for country in client.available_phone_numbers.list()}
    assert set(countries) == {"US", "CA", "GB", "JP", "DE"}
    one = client.available_phone_numbers("US").fetch()
    assert (one.country_code, one.country, one.beta) == ("US", "United States", False)
    assert set(one.subresource_uris) == {"local", "toll_free"}


def test_a_kind_or_country_that_is_not_sold_is_not_found(client):
    for search in (client.available_phone_numbers("US").mobile, client.available_phone_numbers("ZZ").local):
        with pytest.raises(TwilioException):
            search.list(limit=1)
    refused_with(404, 20404, client.available_phone_numbers("ZZ").fetch)


def test_a_number_is_bought_with_its_attributes(client, account):
    offer = fax_offer(client)
    number = client.incoming_phone_numbers.create(
        phone_number=str(offer.phone_number),
        friendly_name="My Fax",
        voice_url="http://127.0.0.1:1/fax",
        voice_method="GET",
        voice_fallback_url="http://127.0.0.1:1/fallback",
        voice_fallback_method="GET",
        status_callback="http://127.0.0.1:1/ended",
        status_callback_method="GET",
        voice_receive_mode="fax",
    )
    assert re.fullmatch("PN[0-9a-f]{32}", number.sid)
    assert (number.phone_number, number.friendly_name) == (offer.phone_number, "My Fax")
    assert (number.voice_url, number.voice_method) == ("http://127.0.0.1:1/fax", "GET")
    assert (number.voice_fallback_url, number.voice_fallback_method) == ("http://127.0.0.1:1/fallback", "GET")
    assert (number.status_callback, number.status_callback_method) == ("http://127.0.0.1:1/ended", "GET")
    assert number.voice_receive_mode == "fax"
    assert number.capabilities == {name.lower(): able for name, able in offer.capabilities.items()}
    assert (number.account_sid, number.api_version, number.origin) == (account.sid, "2010-04-01", "twilio")
    assert (number.status, number.beta, number.address_requirements) == ("in-use", False, "none")
    assert isinstance(number.date_created, datetime.datetime) and number.date_created == number.date_updated
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - number.date_created).total_seconds()) < 60
    assert number.uri == "/2010-04-01/Accounts/%s/IncomingPhoneNumbers/%s.json" % (account.sid, number.sid)
    fetched = client.incoming_phone_numbers(number.sid).fetch()
    assert properties(fetched) == properties(number)


def test_a_new_number_accepts_voice_calls(client):
    number = client.incoming_phone_numbers.create(phone_number=BUYABLE)
    assert (number.friendly_name, number.voice_receive_mode) == ("(500) 555-0006", "voice")
    assert (number.voice_url, number.voice_method) == (None, "POST")
    assert number.voice_caller_id_lookup is False


def test_a_bought_number_is_no_longer_offered_nor_sold(client):
    offer = fax_offer(client)
    client.incoming_phone_numbers.create(phone_number=str(offer.phone_number))
    assert fax_offer(client).phone_number != offer.phone_number
    refused_with(400, 21422, client.incoming_phone_numbers.create, phone_number=str(offer.phone_number))


def test_a_number_is_bought_by_area_code(client):
    number = client.incoming_phone_numbers.create(area_code="415")
    assert number.phone_number.startswith("+1415")


def test_twilios_magic_numbers_for_buying_behave_as_documented(client):
    buy = client.incoming_phone_numbers.create
    assert "+15005550000" in refused_with(400, 21422, buy, phone_number="+15005550000")
    assert "+15005550001" in refused_with(400, 21421, buy, phone_number="+15005550001")
    refused_with(400, 21452, buy, area_code="533")
    assert buy(phone_number=BUYABLE).phone_number == BUYABLE
    assert buy(area_code="500").phone_number.startswith("+1500")


@pytest.mark.parametrize(
    "bad, code, named",
    [
        (dict(), 20001, "PhoneNumber"),
        (dict(phone_number="5551234567"), 21421, "5551234567"),
        (dict(area_code="41"), 21451, "AreaCode"),
        (dict(phone_number=BUYABLE, voice_url="fax"), 21402, "VoiceUrl"),
        (dict(phone_number=BUYABLE, voice_method="PUT"), 21403, "VoiceMethod"),
        (dict(phone_number=BUYABLE, voice_fallback_url="http://127.0.0.1:1/"), 21405, "VoiceFallbackUrl"),
        (dict(phone_number=BUYABLE, voice_receive_mode="telex"), 20422, "VoiceReceiveMode"),
        (dict(phone_number=BUYABLE, friendly_name="x" * 65), 20002, "FriendlyName"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(client, bad, code, named):
    assert named in refused_with(400, code, client.incoming_phone_numbers.create, **bad)
    assert client.incoming_phone_numbers.list() == []


def test_a_number_without_fax_capability_cannot_be_switched_to_fax(client):
    offer = client.available_phone_numbers("US").local.list(fax_enabled=False, limit=1)[0]
    number = client.incoming_phone_numbers.create(phone_number=str(offer.phone_number))
    refused_with(400, 20422, number.update, voice_receive_mode="fax")
    assert number.fetch().voice_receive_mode == "voice"


def test_a_number_is_switched_to_fax_and_back_and_keeps_its_url(client):
    number = client.incoming_phone_numbers.create(phone_number=BUYABLE, voice_url="http://127.0.0.1:1/fax")
    for mode in ("fax", "voice"):
        updated = client.incoming_phone_numbers(number.sid).update(voice_receive_mode=mode)
        assert (updated.voice_receive_mode, updated.voice_url) == (mode, "http://127.0.0.1:1/fax")
    renamed = number.update(friendly_name="Front desk", voice_url="")
    assert (renamed.friendly_name, renamed.voice_url, renamed.voice_receive_mode) == ("Front desk", None, "voice")


def test_a_released_number_is_gone_and_for_sale_again(client):
    number = client.incoming_phone_numbers.create(phone_number=BUYABLE)
    assert number.delete() is True
    for call in (number.fetch, number.delete, number.update):
        assert "was not found" in refused_with(404, 20404, call)
    assert client.incoming_phone_numbers.create(phone_number=BUYABLE).sid != number.sid


def test_a_list_is_paginated_newest_first(client):
    bought = [client.incoming_phone_numbers.create(area_code="415").sid for _ in range(5)]
    sids = lambda **options: [number.sid for number in client.incoming_phone_numbers.list(**options)]
    assert sids() == sids(page_size=2) == sids(page_size=5) == sids(limit=5000) == bought[::-1]
    assert sids(limit=3, page_size=2) == bought[:1:-1]
    first = client.incoming_phone_numbers.page(page_size=2)
    assert len(list(first)) == 2 and first.previous_page() is None
    second = first.next_page()
    assert [number.sid for number in second] == [bought[2], bought[1]]
    assert [number.sid for number in second.previous_page()] == [bought[4], bought[3]]


def test_a_list_is_filtered(client):
    buy = client.incoming_phone_numbers.create
    one, two = buy(phone_number=BUYABLE, friendly_name="One"), buy(area_code="415", friendly_name="Two")
    sids = lambda **filters: [number.sid for number in client.incoming_phone_numbers.list(**filters)]
    assert sids(friendly_name="Two") == [two.sid]
    assert sids(friendly_name="two") == []
    assert sids(phone_number=BUYABLE) == [one.sid]
    assert sids(phone_number="5550**6") == [one.sid]
    assert sids(phone_number="+1415") == [two.sid]
    assert sids(origin="twilio") == [two.sid, one.sid]
    assert sids(origin="hosted") == []
    assert one.sid in sids(beta=False)


@pytest.mark.parametrize("kind, country", [("local", "US"), ("toll_free", "US"), ("mobile", "GB")])
def test_each_kind_has_its_own_list(client, kind, country):
    offer = getattr(client.available_phone_numbers(country), kind).list(limit=1)[0]
    numbers = getattr(client.incoming_phone_numbers, kind)
    number = numbers.create(phone_number=str(offer.phone_number), friendly_name="Mine")
    assert (number.phone_number, number.friendly_name) == (offer.phone_number, "Mine")
    assert [found.sid for found in numbers.list(page_size=1)] == [number.sid]
    others = {"local", "toll_free", "mobile"} - {kind}
    assert all(getattr(client.incoming_phone_numbers, other).list() == [] for other in others)
    for other in others:
        create = getattr(client.incoming_phone_numbers, other).create
        refused_with(400, 21458, create, phone_number=str(offer.phone_number))
