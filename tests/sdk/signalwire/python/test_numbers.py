"""Tests searching, buying, changing and releasing numbers with SignalWire's library, and their applications."""

import datetime
import re

import pytest

from conftest import NUMBER, UUID
from emulator import Problem
from signalwire.fax_response import FaxResponse
from test_faxes import refused_with


def is_now(moment):
    assert isinstance(moment, datetime.datetime) and moment.tzinfo is not None
    return abs((datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()) < 60


def receive_xml():
    response = FaxResponse()
    response.receive()
    return response


def test_offers_are_found_by_area_code_and_list_no_fax_capability(client):
    offers = client.available_phone_numbers("US").local.list(area_code=415, fax_enabled=True, limit=2)
    assert len(offers) == 2
    for offer in offers:
        assert re.fullmatch(r"\+1415[2-9]\d{6}", offer.phone_number)
        assert (offer.iso_country, offer.region) == ("US", "CA")
        assert offer.capabilities == {"voice": True, "SMS": True, "MMS": True}
    toll_free, = client.available_phone_numbers("US").toll_free.list(limit=1)
    assert toll_free.iso_country == "US"
    assert set(client.available_phone_numbers("US").fetch().subresource_uris) == {"local", "toll_free"}
    assert "US" in {country.country_code for country in client.available_phone_numbers.list()}


def test_an_offer_is_bought_as_a_fax_number_changed_and_released(client, project):
    offer, = client.available_phone_numbers("US").local.list(area_code=206, limit=1)
    number = client.incoming_phone_numbers.create(
        phone_number=offer.phone_number,
        friendly_name="My Fax",
        voice_receive_mode="fax",
        voice_url="http://127.0.0.1:1/fax",
        voice_method="GET",
        voice_fallback_url="http://127.0.0.1:1/fallback",
        voice_fallback_method="GET",
    )
    assert re.fullmatch(UUID, number.sid)
    assert (number.account_sid, number.phone_number, number.friendly_name) == (project.id, offer.phone_number, "My Fax")
    assert (number.voice_url, number.voice_method) == ("http://127.0.0.1:1/fax", "GET")
    assert (number.voice_fallback_url, number.voice_fallback_method) == ("http://127.0.0.1:1/fallback", "GET")
    assert set(number.capabilities) == {"voice", "sms", "mms", "fax"}
    assert number.api_version == "2010-04-01" and is_now(number.date_created) and is_now(number.date_updated)
    assert number.uri == "/api/laml/2010-04-01/Accounts/%s/IncomingPhoneNumbers/%s.json" % (project.id, number.sid)
    numbers = client.incoming_phone_numbers
    assert numbers(number.sid).update(friendly_name="Front desk").friendly_name == "Front desk"
    assert numbers(number.sid).fetch().friendly_name == "Front desk"
    assert [shown.sid for shown in numbers.list(friendly_name="Front desk")] == [number.sid]
    assert [shown.sid for shown in numbers.list(phone_number=offer.phone_number)] == [number.sid]
    assert numbers.list(friendly_name="Nobody") == []
    assert numbers(number.sid).delete() is True
    refused_with(404, 20404, numbers(number.sid).fetch)
    refused_with(404, 20404, numbers(number.sid).delete)


def test_numbers_are_paginated(client):
    bought = {number.sid for number in client.incoming_phone_numbers.list()}
    for offer in client.available_phone_numbers("US").local.list(area_code=206, limit=5):
        bought.add(client.incoming_phone_numbers.create(phone_number=offer.phone_number).sid)
    listed = [number.sid for number in client.incoming_phone_numbers.list(page_size=2)]
    assert set(listed) == bought and len(listed) == len(bought)


def test_a_wrong_receive_mode_is_refused(client):
    refused_with(
        422, 21209, client.incoming_phone_numbers.create, phone_number=NUMBER, voice_receive_mode="telegraph"
    )


def test_a_voice_number_accepts_no_fax_until_its_mode_is_fax(emulator, project, app, fax_number):
    fax_number.update(voice_receive_mode="voice")
    with pytest.raises(Problem) as refused:
        emulator.receive(project.id, to=NUMBER)
    assert refused.value.body["type"].split(":")[-1] == "not-a-fax-number"
    fax_number.update(voice_receive_mode="fax")
    assert fax_number.fetch().voice_url == app.url + "/fax", "VoiceUrl is kept"
    app.answers["/fax"] = receive_xml()
    assert emulator.receive(project.id, to=NUMBER)["outcome"] == "received"


def test_a_numbers_application_decides_where_its_webhooks_go(emulator, client, project, app, fax_number):
    application = client.applications.create(friendly_name="Desk", voice_url=app.url + "/app/fax", voice_method="GET")
    assert re.fullmatch(UUID, application.sid) and is_now(application.date_created)
    assert (application.account_sid, application.friendly_name) == (project.id, "Desk")
    assert (application.voice_url, application.voice_method) == (app.url + "/app/fax", "GET")
    updated = client.incoming_phone_numbers(fax_number.sid).update(voice_application_sid=application.sid)
    assert updated.voice_application_sid == application.sid
    app.answers["/app/fax"] = receive_xml()
    assert emulator.receive(project.id, to=NUMBER)["outcome"] == "received"
    assert [(exchange.method, exchange.path) for exchange in app.exchanges] == [("GET", "/app/fax")]
    assert client.applications(application.sid).update(friendly_name="Front desk").friendly_name == "Front desk"
    assert client.applications(application.sid).fetch().friendly_name == "Front desk"
    assert [shown.sid for shown in client.applications.list(friendly_name="Front desk")] == [application.sid]
    assert client.applications(application.sid).delete() is True
    refused_with(404, 20404, client.applications(application.sid).fetch)
