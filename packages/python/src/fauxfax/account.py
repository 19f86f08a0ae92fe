"""An account of the emulator, as a test sees it: its credential, numbers, faxes and journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .checks import known, seconds, whole
from .clock import Clock
from .connection import Connection, Document, multipart, segment
from .errors import FauxfaxError, NotVerifiedError, ProblemError
from .numbers import Number
from .resources import Conversation, Event, Explanation, Fax, FaxRef, Webhook, fax_sid
from .rules import Rules

#: The default limit of waits, in seconds: far longer than anything takes when transmissions take no time, as in tests.
TIMEOUT_S = 10.0
# The maximum number of events that the journal keeps.
_EVENTS_MAX = 10_000
_FAXES_PER_PAGE_MAX = 500
# The maximum number of test pages that the emulator draws for a fax.
_TEST_PAGES_MAX = 500
# Further attributes of a number that the REST API can set. They are checked here because the API ignores unknown ones.
_ATTRIBUTES = frozenset(
    [
        "friendly_name",
        "api_version",
        "voice_url",
        "voice_method",
        "voice_fallback_url",
        "voice_fallback_method",
        "voice_receive_mode",
        "voice_application_sid",
        "voice_caller_id_lookup",
        "status_callback_method",
        "trunk_sid",
        "sms_url",
        "sms_method",
        "sms_fallback_url",
        "sms_fallback_method",
        "sms_application_sid",
        "address_sid",
        "bundle_sid",
        "identity_sid",
        "emergency_status",
        "emergency_address_sid",
    ]
)


class Account:
    """An account of an emulator: an isolated world with its own numbers, faxes, clock, rules and journal.

    The methods may be called from any thread. Each blocks until the emulator has responded; in a coroutine, use
    `await asyncio.to_thread(account.receive, pages=2)`, so that an app on the same event loop can respond meanwhile.

    `timeout` limits how long a call waits for the emulator's faxes, in seconds; most calls that wait also take a limit of their own.
    """

    def __init__(self, connection: Connection, raw: Mapping[str, Any]) -> None:
        self._connection = connection
        self.sid = str(raw["sid"])
        #: The password for REST calls; empty until a client has claimed the account.
        self.auth_token = str(raw["auth_token"] or "")
        #: The key that signs webhooks: the token, or the signing key of a SignalWire account that has one.
        self.signing_key = str(raw["signing_key"] or "")
        #: `twilio` or `signalwire`.
        self.dialect = str(raw["dialect"])
        self.timeout = TIMEOUT_S
        self.clock = Clock(self)
        self.rules = Rules(self)

    def __repr__(self) -> str:
        # Without the token, because a failed assertion prints this into a log.
        return f"Account({self.sid!r}, url={self.url!r})"

    @property
    def url(self) -> str:
        """The base URL of the emulator's APIs, without a slash at the end."""
        return self._connection.url

    @property
    def console_url(self) -> str:
        """The address of the account's console, for a browser."""
        return f"{self.url}/console?account={self.sid}"

    def sample_url(self, name: str = "one-page.pdf") -> str:
        """Returns the URL of one of the emulator's sample documents, to be sent as a fax."""
        return f"{self.url}/_fauxfax/v1/samples/{segment(name)}"

    # Numbers

    def numbers(self) -> list[Number]:
        """Returns the account's numbers, newest first."""
        account = self._connection.control("GET", f"/accounts/{self.sid}")
        return [Number.of(self, number) for number in account["numbers"]]

    def number(
        self,
        phone_number: str | None = None,
        *,
        fax_url: str | None = None,
        twiml: str | None = None,
        status_callback: str | None = None,
        receive_mode: str | None = None,
        **attributes: str,
    ) -> Number:
        """Returns one of the account's numbers, given in E.164 form, with these attributes set.

        A number that the account doesn't own yet is bought and set to receive faxes. If `phone_number` is left out, the
        account's only number is meant.

        - `fax_url`: the VoiceUrl, from which TwiML is requested when a fax comes in; `""` removes it
        - `twiml`: TwiML that answers calls in place of an app, such as `<Response><Receive/></Response>`
        - `status_callback`: the URL that is notified of how a fax ended if the `<Receive>` names no `action`
        - `receive_mode`: `fax` or `voice`
        - any other attribute of the REST API, in snake_case, such as `voice_method="GET"`
        """
        if fax_url is not None and twiml is not None:
            raise ValueError("give either fax_url or twiml")
        known("number()", attributes, _ATTRIBUTES | {"phone_number", "fax_url", "twiml", "status_callback", "receive_mode"})
        own = self._own_number(phone_number)
        form = {
            "VoiceUrl": fax_url if twiml is None else self.twiml_bin(twiml),
            "StatusCallback": status_callback,
            "VoiceReceiveMode": receive_mode,
        }
        for name, value in attributes.items():
            form["".join(word.capitalize() for word in name.split("_"))] = value
        path = f"/2010-04-01/Accounts/{self.sid}/IncomingPhoneNumbers"
        if own is None:
            # Without this mode the number would accept voice calls, not faxes.
            bought = self.rest(
                "POST", f"{path}.json", {"PhoneNumber": phone_number, **form, "VoiceReceiveMode": receive_mode or "fax"}
            )
            phone_number = bought["phone_number"]
        elif all(value is None for value in form.values()):
            return own
        else:
            self.rest("POST", f"{path}/{own.sid}.json", form)
            phone_number = own.phone_number
        changed = self._own_number(phone_number)
        if changed is None:
            raise FauxfaxError(f"{phone_number} has been released meanwhile")
        return changed

    def _own_number(self, phone_number: str | None) -> Number | None:
        """Returns this number, or None if the account doesn't own it; without `phone_number`, the account's only number."""
        numbers = self.numbers()
        if phone_number is not None:
            return next((number for number in numbers if number.phone_number == phone_number), None)
        if len(numbers) == 1:
            return numbers[0]
        if numbers:
            raise ValueError(f"the account has {len(numbers)} numbers; name one of {', '.join(n.phone_number for n in numbers)}")
        raise ValueError("the account has no number; name the one to buy, such as +15017122661")

    def twiml_bin(self, twiml: str, name: str = "fauxfax") -> str:
        """Stores TwiML under a URL of its own, and returns the URL."""
        return str(self.control("POST", "/twiml-bins", body={"name": name, "twiml": twiml})["url"])

    # Incoming faxes

    def receive(
        self,
        pages: int | None = None,
        *,
        file: Document | None = None,
        media_url: str | None = None,
        to: str | None = None,
        from_: str | None = None,
        station_id: str | None = None,
        quality: str | None = None,
        outcome: str | Mapping[str, Any] | None = None,
        action: str | None = None,
        sid: str | None = None,
        timeout: float | None = None,
    ) -> Conversation:
        """Acts as a fax machine that calls one of the account's numbers, waits until the conversation with the app has settled, and
        returns it.

        - `pages`: the number of test pages to send, 1 by default; or `file`: a PDF, TIFF, PNG or JPEG, as a path or its bytes; or
          `media_url`: the URL of one
        - `to`: the number called; not needed if the account has exactly one fax number
        - `from_`: the caller, a number, a SIP URI or a name
        - `station_id`: the station id of the sending machine, of at most 20 characters
        - `quality`: `standard`, `fine` or `superfine`
        - `outcome`: how the transmission ends, such as `{"status": "failed", "code": 34004, "after_pages": 1}`
        - `action`: the URL to notify of the fax, as `<Receive action="…">` does; the number's own app is then not asked for TwiML
        - `sid`: the SID of the fax, instead of one drawn from the seed
        - `timeout`: how long to wait, in seconds

        While the clock is frozen, use `ring`.
        """
        limit = seconds(self.timeout if timeout is None else timeout)
        order = _order(pages, media_url, to, from_, station_id, quality, outcome, action, sid)
        settled = self._call_number(order, file, {"wait": True, "timeout": limit}, limit)
        # If the fax failed, the conversation has the reason, which this response lacks.
        return replace(self.conversation(settled["fax_sid"]), outcome=settled["outcome"])

    def ring(
        self,
        pages: int | None = None,
        *,
        file: Document | None = None,
        media_url: str | None = None,
        to: str | None = None,
        from_: str | None = None,
        station_id: str | None = None,
        quality: str | None = None,
        outcome: str | Mapping[str, Any] | None = None,
        action: str | None = None,
        sid: str | None = None,
    ) -> str:
        """Makes the same call as `receive`, and immediately returns the SID that the fax will have."""
        order = _order(pages, media_url, to, from_, station_id, quality, outcome, action, sid)
        return str(self._call_number(order, file, {}, 0)["fax_sid"])

    def _call_number(self, order: Mapping[str, Any], file: Document | None, query: Mapping[str, object], wait_s: float) -> Any:
        if file is None:
            return self.control("POST", "/incoming-faxes", query, order, wait_s)
        body, content_type = multipart(order, file)
        return self._connection.control_json("POST", "/incoming-faxes", {**query, "account": self.sid}, body, content_type, wait_s)

    # Outgoing faxes

    def send(
        self,
        to: str,
        media_url: str | None = None,
        *,
        from_: str | None = None,
        quality: str | None = None,
        status_callback: str | None = None,
        ttl: int | None = None,
        store_media: bool | None = None,
        timeout: float | None = None,
    ) -> Fax:
        """Sends a fax as an app would, through the REST API, and returns it once it has ended and the app has been notified.

        - `media_url`: the document; by default a sample of one page
        - `from_`: the caller; by default, the number that the account has owned for the longest time
        - `quality`: `standard`, `fine` or `superfine`
        - `status_callback`: the URL that is notified of each status
        - `ttl`: the number of minutes for which a busy or unanswered call is retried
        - `store_media`: whether the document is kept as media
        - `timeout`: how long to wait, in seconds

        While the clock is frozen, use `queue`.
        """
        # Checked before the fax is created, so that no fax is left behind.
        if self.clock.mode() == "frozen":
            raise ProblemError(409, "clock-frozen", "Conflict", "the clock is frozen, so the fax would never end")
        fax = self.queue(
            to, media_url, from_=from_, quality=quality, status_callback=status_callback, ttl=ttl, store_media=store_media
        )
        self.wait_settled(fax.sid, timeout=timeout)
        return self.fax(fax.sid)

    def queue(
        self,
        to: str,
        media_url: str | None = None,
        *,
        from_: str | None = None,
        quality: str | None = None,
        status_callback: str | None = None,
        ttl: int | None = None,
        store_media: bool | None = None,
    ) -> Fax:
        """Creates the same fax as `send`, and returns it without waiting for its end."""
        if from_ is None:
            numbers = self.numbers()
            if not numbers:
                raise ValueError("the account has no number to send from; account.number('+15017122661') buys one")
            from_ = numbers[-1].phone_number
        form = {
            "To": to,
            "From": from_,
            "MediaUrl": media_url or self.sample_url(),
            "Quality": quality,
            "StatusCallback": status_callback,
            "Ttl": None if ttl is None else str(ttl),
            "StoreMedia": None if store_media is None else str(store_media).lower(),
        }
        path = f"/api/laml/2010-04-01/Accounts/{self.sid}/Faxes" if self.dialect == "signalwire" else "/v1/Faxes"
        return Fax.of(self.rest("POST", path, form))

    # Faxes and documents

    def fax(self, fax: FaxRef) -> Fax:
        """Returns a fax, or a call that nobody took, in its current state."""
        return Fax.of(self.control("GET", f"/faxes/{segment(fax_sid(fax))}"))

    def faxes(
        self,
        search: str | None = None,
        *,
        direction: str | None = None,
        status: str | None = None,
        number: str | None = None,
        limit: int = 1000,
    ) -> list[Fax]:
        """Returns the newest faxes, newest first. `search` is a search as in the console, such as `status:failed pages:>10`."""
        query: dict[str, object] = {"q": search, "direction": direction, "status": status, "number": number}
        found: list[Fax] = []
        whole("limit", limit, 0)
        while len(found) < limit:
            size = min(limit - len(found), _FAXES_PER_PAGE_MAX)
            page = self.control("GET", "/faxes", {**query, "limit": size})
            found += [Fax.of(fax) for fax in page["faxes"]]
            query["page_token"] = page["next_page_token"]
            if query["page_token"] is None:
                break
        return found

    def newest_fax(self) -> Fax | None:
        """Returns the newest fax in its current state; None if there is none."""
        return next(iter(self.faxes(limit=1)), None)

    def pages(self, fax: FaxRef, *, width: int | None = None) -> list[bytes]:
        """Returns the pages of a fax as they were transmitted, each as a PNG, at most `width` pels wide."""
        return [self.page(fax, number, width=width) for number in range(1, (self.fax(fax).num_pages or 0) + 1)]

    def page(self, fax: FaxRef, number: int, *, width: int | None = None) -> bytes:
        """Returns a page of a fax, counted from 1, as a PNG."""
        sid = fax_sid(fax)
        path = f"/faxes/{segment(sid)}/pages/{whole('number', number, 1)}.png"
        try:
            return self._bytes(path, {"width": width})
        except ProblemError as error:
            missing = self._missing_page(error, sid, number)
        raise missing

    def page_text(self, fax: FaxRef, number: int) -> str | None:
        """Returns the text of a page of a fax, counted from 1; None if it is not known, for example because the page is a scan."""
        sid = fax_sid(fax)
        path = f"/faxes/{segment(sid)}/pages/{whole('number', number, 1)}/text"
        try:
            text: str | None = self.control("GET", path)["text"]
        except ProblemError as error:
            missing = self._missing_page(error, sid, number)
        else:
            return text
        raise missing

    def _missing_page(self, error: ProblemError, sid: str, number: int) -> ProblemError:
        """Returns the error for a missing page. If the fax has fewer pages, the error says how many."""
        if error.name != "page-not-found":
            return error
        count = self.fax(sid).num_pages or 0
        if number <= count:
            return error
        pages = {0: "no pages", 1: "1 page"}.get(count, f"{count} pages")
        return ProblemError(error.status, error.name, error.title, f"{sid} has {pages}, so there is no page {number}")

    def document(self, fax: FaxRef, format: str = "pdf") -> bytes:
        """Returns the pages of a fax as a file, `pdf` or `tiff`."""
        if format not in ("pdf", "tiff"):
            raise ValueError(f"format is pdf or tiff, not {format!r}")
        return self._bytes(f"/faxes/{segment(fax_sid(fax))}/document.{format}", {})

    def conversation(self, fax: FaxRef) -> Conversation:
        """Returns everything that happened to a fax or call since the last reset."""
        raw = self.control("GET", f"/faxes/{segment(fax_sid(fax))}/conversation.json")
        # An unanswered call is not a fax.
        resource = None if raw["fax"] is None or raw["outcome"] == "not-answered" else Fax.of(raw["fax"])
        # The REST API shows a call that the app rejected as `canceled`.
        is_rejected = raw["outcome"] == "canceled" and resource is not None and resource.direction == "inbound"
        outcome = "rejected" if is_rejected else raw["outcome"]
        events = [Event.of(event) for event in raw["events"]]
        return Conversation(fax_sid(fax), outcome, resource, events, self.webhooks(fax=fax))

    def conversation_markdown(self, fax: FaxRef) -> str:
        """Returns the conversation about a fax or call as Markdown for an issue. Tokens are masked."""
        return self._bytes(f"/faxes/{segment(fax_sid(fax))}/conversation.md", {}).decode()

    def conversation_har(self, fax: FaxRef) -> bytes:
        """Returns the exchanges of a conversation as a HAR 1.2 file, for the network panel of a browser. Tokens are masked."""
        return self._bytes(f"/faxes/{segment(fax_sid(fax))}/conversation.har", {})

    # The journal

    def events(
        self, *, fax: FaxRef | None = None, kind: str | None = None, since: int | None = None, all: bool = False
    ) -> list[Event]:
        """Returns the journal since the last reset, oldest first; with `all`, everything that is kept."""
        query = {
            "fax": None if fax is None else fax_sid(fax),
            "kind": kind,
            "since": since,
            "all": all or None,
            "limit": _EVENTS_MAX,
        }
        return [Event.of(event) for event in self.control("GET", "/events", query)["events"]]

    def webhooks(self, *, fax: FaxRef | None = None, since: int | None = None) -> list[Webhook]:
        """Returns the requests to the app since the last reset, oldest first, each with its attempts."""
        query = {"fax": None if fax is None else fax_sid(fax), "since": since}
        return [Webhook.of(webhook) for webhook in self.control("GET", "/webhooks", query)["webhooks"]]

    def replay(
        self,
        webhook: Webhook | str,
        *,
        url: str | None = None,
        method: str | None = None,
        params: Mapping[str, str | None] | None = None,
    ) -> dict[str, Any]:
        """Sends a request to the app again with a new signature, and returns the exchange. A parameter that is None is removed."""
        edits = {name: value for name, value in {"url": url, "method": method, "params": params}.items() if value is not None}
        id = webhook.id if isinstance(webhook, Webhook) else webhook
        exchange: dict[str, Any] = self.control("POST", f"/webhooks/{segment(id)}/replay", body=edits)
        return exchange

    def wait(
        self,
        status: str | Sequence[str],
        fax: FaxRef | None = None,
        *,
        since: int | None = None,
        timeout: float | None = None,
    ) -> Event:
        """Waits until a fax, or any fax, has entered one of these statuses since the last reset, and returns the event.

        Fails at once if the fax can no longer enter them.
        """
        statuses = status if isinstance(status, str) else ",".join(status)
        return Event.of(
            self._wait({"status": statuses, "fax": None if fax is None else fax_sid(fax), "since": since}, timeout)["event"]
        )

    def wait_settled(self, fax: FaxRef, *, timeout: float | None = None) -> str:
        """Waits until a fax has ended and every webhook about it has been sent, and returns its last status, or `not-answered`."""
        return str(self._wait({"for": "settled", "fax": fax_sid(fax)}, timeout)["outcome"])

    def wait_idle(self, *, timeout: float | None = None) -> None:
        """Waits until every fax and call has ended and no webhook is due."""
        self._wait({"for": "idle"}, timeout)

    def _wait(self, query: Mapping[str, object], timeout: float | None) -> Any:
        limit = seconds(self.timeout if timeout is None else timeout)
        return self.control("GET", "/wait", {**query, "timeout": limit}, wait_s=limit)

    def verify(
        self,
        match: Mapping[str, Any] | None = None,
        *,
        times: int | Mapping[str, int] | None = None,
        in_order: Sequence[Mapping[str, Any]] | None = None,
        since: int | None = None,
        all: bool = False,
    ) -> list[Event]:
        """Checks that the journal has events that match, and returns the first of them.

        `match` is a partial event, each field of which must match; `fauxfax.expect` builds the usual ones. `times` is how many
        events must match, a number or `{"at_least": …, "at_most": …}`; at least one by default. Instead of `match`, `in_order` is a
        list of partial events that must occur one after the other.
        """
        given = {"match": match, "times": times, "in_order": in_order, "since": since, "all": all or None}
        order = {name: value for name, value in given.items() if value is not None}
        verdict = self.control("POST", "/verify", body=order)
        if verdict["verified"]:
            return [Event.of(event) for event in verdict["matched"]]
        closest = [Event.of(miss["event"]) for miss in verdict["closest"]]
        raise NotVerifiedError(_report(order, verdict, closest), verdict["found"], closest)

    def explain_signature(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        body: str | None = None,
        signature: str | None = None,
        app_url: str | None = None,
        token: str | None = None,
    ) -> Explanation:
        """Explains why the signature of a request to `url` doesn't match, and computes the valid one.

        Give either `signature`, the one in question, or `app_url`, the URL for which the app computed it. `body` replaces `params`
        if the request was not a form, and `token` replaces the account's own key.
        """
        given = {"url": url, "params": params, "body": body, "signature": signature, "app_url": app_url, "token": token}
        order = {name: value for name, value in given.items() if value is not None}
        return Explanation.of(self.control("POST", "/explain-signature", body=order))

    # The whole account

    def snapshot(self, name: str) -> None:
        """Saves the account's current state under this name, in place of any earlier snapshot with the name."""
        self.control("PUT", f"/snapshots/{segment(name)}")

    def restore(self, name: str) -> None:
        """Returns the account to a snapshot: its faxes, numbers and rules, and the work that was pending then."""
        self.control("POST", f"/snapshots/{segment(name)}")

    def reset(self, *, seed: int | None = None) -> None:
        """Returns the account to its start: removes its faxes and cancels pending work. With a seed, ids restart from it."""
        self.control("POST", "/reset", {"seed": seed})

    def delete(self) -> None:
        """Removes the account with its world."""
        self._connection.control("DELETE", f"/accounts/{self.sid}")

    def control(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        wait_s: float = 0,
    ) -> Any:
        """Makes any other call of the control API, such as `control("GET", "/state")`, and returns its JSON.

        `wait_s` is how long the emulator itself may wait, in seconds, before it responds; the time limit is extended by that.
        """
        return self._connection.control(method, path, {**(query or {}), "account": self.sid}, body, wait_s)

    def rest(self, method: str, path: str, form: Mapping[str, str | None] | None = None) -> Any:
        """Makes any call of the REST API with the account's credential, and returns its JSON."""
        return self._connection.rest(method, path, self.sid, self.auth_token, form)

    def _bytes(self, path: str, query: Mapping[str, object]) -> bytes:
        return self._connection.control_bytes("GET", path, {**query, "account": self.sid})


def _order(
    pages: int | None,
    media_url: str | None,
    to: str | None,
    from_: str | None,
    station_id: str | None,
    quality: str | None,
    outcome: str | Mapping[str, Any] | None,
    action: str | None,
    sid: str | None,
) -> dict[str, Any]:
    """Returns the fields of an incoming fax that were given."""
    fields = {
        "pages": None if pages is None else whole("pages", pages, 1, _TEST_PAGES_MAX),
        "media_url": media_url,
        "to": to,
        "from": from_,
        "station_id": station_id,
        "quality": quality,
        "outcome": outcome,
        "action": action,
        "sid": sid,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _report(order: Mapping[str, Any], verdict: Mapping[str, Any], closest: Sequence[Event]) -> str:
    """Describes what was expected and how the closest events differ from it."""
    if "in_order" in order:
        step = verdict["missing_step"]
        lines = [f"step {step + 1} of {len(order['in_order'])} did not occur after the others: {order['in_order'][step]}"]
    else:
        lines = [f"expected {_count(order.get('times'))} of {order['match']}, found {verdict['found']}"]
    if verdict["missed"]:
        lines.append(f"  {verdict['missed']} events could not be checked, because the journal doesn't have them")
    for event, miss in zip(closest, verdict["closest"]):
        lines.append(f"  {event} differs:")
        lines += [f"    {name}: want {each['want']!r}, got {each['got']!r}" for name, each in miss["differs"].items()]
    return "\n".join(lines)


def _count(times: int | Mapping[str, int] | None) -> str:
    if times is None:
        return "1 or more"
    if isinstance(times, int):
        return str(times)
    least, most = times.get("at_least", 0), times.get("at_most")
    return f"{least} or more" if most is None else f"{least} to {most}"
