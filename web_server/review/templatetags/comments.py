"""How the text of a comment is shown."""

from __future__ import annotations

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from web_server.review.comments import MENTION
from web_server.review.models import Comment

register = template.Library()


@register.filter
def with_mentions(comment: Comment) -> SafeString:
    """Return the text of a comment, escaped, with the people that it names in bold.

    Parameters
    ----------
    comment : Comment
        The comment.

    Returns
    -------
    django.utils.safestring.SafeString
        HTML.
    """
    if "@" not in comment.text:
        return conditional_escape(comment.text)
    names = {user.get_username().lower() for user in comment.mentions.all()}
    parts, end = [], 0
    for match in MENTION.finditer(comment.text):
        if match[1].lower() in names:
            parts.append(conditional_escape(comment.text[end : match.start()]))
            parts.append(format_html("<strong>{}</strong>", match[0]))
            end = match.end()
    # each part is escaped
    return mark_safe("".join([*parts, conditional_escape(comment.text[end:])]))
