"""axe-core on a page or a frame: what it finds, in few words."""

from functools import cache

from tools.webtools import packages


@cache
def _source():
    return (packages() / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page, *rules):
    """Each broken rule of all or of `rules`: where, and what to do about it. Frames of other origins are left out."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())  # as a debugger would: the page's own policy lets no script of ours in
    options = {"resultTypes": ["violations"], "iframes": False}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    found = page.evaluate("(options) => axe.run(document, options).then(({ violations }) => violations)", options)
    return [(one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]]) for one in found]
