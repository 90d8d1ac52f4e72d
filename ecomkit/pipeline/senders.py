"""Who sends calls: libraries on the customer's device, servers, and machines that are no customers."""

# Libraries whose calls come from the customer's own device.
CLIENT_LIBRARIES = (
    r"^(analytics\.js|analytics-ios|analytics-android|analytics-swift|analytics-kotlin|analytics-react"
    r"|analytics_flutter)"
)

BOT_AGENTS = r"bot\b|bot/|crawl|spider|slurp|lighthouse|pingdom|phantomjs|headlesschrome|facebookexternalhit|preview"
MOBILE_AGENTS = r"(?i)iphone|android.*mobile|mobile.*firefox|windows phone"
TABLET_AGENTS = r"(?i)ipad|android|tablet"
