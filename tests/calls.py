"""Segment calls in few words, for tests that type them by hand."""

import itertools

_numbers = itertools.count(1)


def page(device="d1", at="2026-10-01T10:00:00Z", *, user=None, path="/", search="", referrer="", **more):
    """A page call of the browser library."""
    place = {"path": path, "search": search, "referrer": referrer, "url": f"https://shop.example{path}{search}"}
    return _call("page", at, anonymousId=device, userId=user, context=_browser(place), properties=place, **more)


def track(event, device="d1", at="2026-10-01T10:00:00Z", *, user=None, **properties):
    """A track call of the browser library."""
    return _call("track", at, event=event, anonymousId=device, userId=user, context=_browser({}), properties=properties)


def identify(user, device="d1", at="2026-10-01T10:00:00Z", **traits):
    """An identify call of the browser library."""
    return _call("identify", at, anonymousId=device, userId=user, context=_browser({}), traits=traits)


def server(event, at="2026-10-01T10:00:00Z", *, user=None, device=None, email=None, **properties):
    """A track call of a server library: no page, no browser."""
    context = {"library": {"name": "analytics-python", "version": "2.4.0"}}
    if email:
        context["traits"] = {"email": email}
    return _call("track", at, event=event, anonymousId=device, userId=user, context=context, properties=properties)


def email(event, at="2026-10-01T10:00:00Z", *, user=None, device=None, address=None, agent=None, **properties):
    """A track call of an email sender such as Customer.io: no page, the reader's agent in an older spelling."""
    context = {"integration": {"name": "customerio"}, "library": {"name": "unknown"}}
    if address:
        context["traits"] = {"email": address}
    if agent:
        context["user_agent"] = agent
    return _call("track", at, event=event, anonymousId=device, userId=user, context=context, properties=properties)


def order(order_id="o1", *, revenue=10.0, quantity=1, product="p1", **more):
    """Properties of an Order Completed with one line."""
    products = [{"product_id": product, "price": revenue / quantity, "quantity": quantity}]
    return {"order_id": order_id, "revenue": revenue, "currency": "EUR", "products": products} | more


def _call(kind, at, **fields):
    number = next(_numbers)
    return {"type": kind, "messageId": f"m{number}", "timestamp": at, "receivedAt": at, "sentAt": at, **fields}


def _browser(place):
    return {"library": {"name": "analytics.js"}, "userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "page": place}
